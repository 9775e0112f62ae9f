import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../bench/schedule/heap.ts';
import { drawJobs, type Job, type Priority } from '../../bench/schedule/jobs.ts';
import { FairShare, FirstInFirstOut } from '../../bench/schedule/queues.ts';
import { type Policy, simulate } from '../../bench/schedule/simulate.ts';

const job = (id: number, priority: Priority): Job => ({ id, sent: 0, work: 1, estimated: 1, priority });

test('a heap gives back what it got, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const value of values) heap.push(value);
      expect(values.map(() => heap.pop())).toEqual([...values].sort((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test('where all shares want all places, each gets its part, the least one too', () => {
  const queue = new FairShare();
  for (let id = 0; id < 300; id++) for (const priority of ['whenever', 'normal', 'urgent'] as const) queue.push(job(id, priority));
  const taken = Array.from({ length: 100 }, () => queue.take()!.priority);
  const count = (priority: Priority) => taken.filter((each) => each === priority).length;
  expect([count('urgent'), count('normal'), count('whenever')]).toEqual([80, 15, 5]);
});

test('a simulation is the same again; only interruptions make work in vain, and the urgent wait least', () => {
  const jobs = drawJobs(3000, 1500, 7);
  const policy = (spot: boolean): Policy => ({
    queue: spot ? new FairShare() : new FirstInFirstOut(),
    places: 40,
    startSeconds: 40,
    functions: spot,
    spot,
    placeHour: 1,
    always: false,
  });
  const [spot, firm] = [simulate(jobs, policy(true), 3), simulate(jobs, policy(false), 3)];
  expect(simulate(jobs, policy(true), 3)).toEqual(spot);
  expect(spot.interruptions).toBeGreaterThan(0);
  expect(spot.lost).toBeGreaterThan(0);
  expect(firm).toMatchObject({ interruptions: 0, lost: 0 });
  expect(spot.waiting.urgent.p95).toBeLessThan(spot.waiting.whenever.p95);
});
