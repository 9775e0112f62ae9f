import { expect, test } from 'vitest';
import { type OpenJob, queueTrouble, whyWaiting } from '../../core/compute/waiting.ts';

const job: OpenJob = { name: 'r-search', status: 'RUNNABLE', share: 'normal', vcpus: 4, busyVcpus: 0, maxVcpus: 64 };

test.each<[string, Partial<OpenJob>, RegExp | undefined]>([
  ['runs', { status: 'RUNNING' }, undefined],
  ['starts', { status: 'STARTING' }, /^Its machine is starting/],
  ['is new', { status: 'SUBMITTED' }, /just taken/],
  ['has nothing in its way', {}, /a minute or two/],
  [
    'finds no machine',
    { statusReason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested' },
    /no machine of the size free/,
  ],
  ['is larger than its queue', { statusReason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - x' }, /larger ingot:batchVcpus/],
  ['finds no machine large enough', { statusReason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - x' }, /fewer rows or columns/],
  ['meets what nobody foresaw', { statusReason: 'MISCONFIGURATION:SOMETHING_NEW - the reason' }, /the reason/],
  ['finds all places taken', { busyVcpus: 62 }, /^All 64 vCPUs .* in use \(62\), and the job asks for 4/],
  ['is not the next', { before: 1 }, /^1 job is before it in the queue\. A higher priority/],
  [
    'has used its share up',
    { before: 7, overtakenBy: 3 },
    /^7 jobs are before it .*, 3 of them later ones .* its share 'normal' has had its part/,
  ],
  ['has both in its way', { busyVcpus: 62, before: 7, overtakenBy: 3 }, /^All 64 vCPUs .* 7 jobs are before it .* its share 'normal'/],
  ['has a queue that is off', { trouble: 'The job queue is disabled: enable it in Batch.' }, /^The job queue is disabled/],
])('a job that %s says so in a sentence', (_, more, sentence) => {
  const why = whyWaiting({ ...job, ...more });
  if (sentence) expect(why).toMatch(sentence);
  else expect(why).toBeUndefined();
});

test('a queue works as long as one of its compute environments does', () => {
  const works = { enabled: true, valid: true };
  const invalid = { name: 'spot', enabled: true, valid: false, reason: 'CLIENT_ERROR - the role is gone' };
  expect(queueTrouble(works, [invalid, { name: 'od', ...works }])).toBeUndefined();
  expect(queueTrouble(works, [invalid])).toBe('The compute environment spot is INVALID: CLIENT_ERROR - the role is gone.');
  expect(queueTrouble(works, [{ name: 'od', ...works, enabled: false }])).toMatch(/All compute environments .* disabled/);
  expect(queueTrouble({ ...works, enabled: false }, [])).toMatch(/queue is disabled/);
  expect(queueTrouble({ enabled: true, valid: false }, [])).toMatch(/queue is INVALID/);
});
