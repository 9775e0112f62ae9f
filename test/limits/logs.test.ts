/** Limits of CloudWatch and SNS: 256 KB of a log event, 100 metrics and 30 dimensions of an embedded one, 256 KB and a subject of 100 of a message. */
import { expect, test } from 'vitest';
import { usageLine } from '../../containers/train/usage.ts';
import { computeMetrics, metricNames } from '../../core/names.ts';
import { fail } from '../../functions/fail.lambda.ts';
import { Counters } from '../../functions/shared/counters.ts';
import { Laboratory } from '../functions/laboratory.ts';

const most = { event: 256 * 1024, metrics: 100, dimensions: 30, message: 256 * 1024 };

interface Directive {
  Metrics: { Name: string }[];
  Dimensions: string[][];
}

test('a line holds as many metrics and dimensions as CloudWatch takes, with all that there are', () => {
  const lines: string[] = [];
  const counters = new Counters((line) => lines.push(line));
  for (const name of Object.values(metricNames)) counters.add(name, Number.MAX_SAFE_INTEGER);
  counters.flush();
  const readings = Object.values(computeMetrics).map((metric) => ({ ...metric, value: 99.9 }));
  lines.push(usageLine({ AWS_BATCH_JQ_NAME: 'q'.repeat(128), AWS_BATCH_JOB_ID: 'j'.repeat(64) }, readings, 0));
  for (const line of lines) {
    expect(Buffer.byteLength(line)).toBeLessThan(most.event);
    const { _aws } = JSON.parse(line) as { _aws: { CloudWatchMetrics: [Directive] } };
    const [{ Metrics, Dimensions }] = _aws.CloudWatchMetrics;
    expect(Metrics.length).toBeLessThanOrEqual(most.metrics);
    for (const set of Dimensions) expect(set.length).toBeLessThanOrEqual(most.dimensions);
  }
});

test('the message of a failed run is short enough, whatever its error says', async () => {
  const lab = new Laboratory();
  const told = { code: 'UnreadableDataset', message: 'é'.repeat(300_000), stage: 'Fit', fix: 'Look at it.' };
  const Cause = JSON.stringify({ errorType: told.code, errorMessage: JSON.stringify(told) });
  await fail({ run: 'r', dataset: 'd', revision: 'v', error: { Error: told.code, Cause } }, lab.services);
  const [{ subject, message }] = lab.messages as [{ subject: string; message: string }];
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(most.message);
  expect(subject).toMatch(/^[\x20-\x7e]+$/);
});
