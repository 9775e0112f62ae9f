import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import { newHome, writeAssembly } from '../local/assembly.ts';
import { batchResources } from '../local/batch.ts';
import { python, pythonHas } from '../python.ts';

const run = promisify(execFile);
const hasMoto = pythonHas('moto', 'boto3');

type Answers = Record<string, object>;

/** Runs the same calls against moto (`moto`) or an endpoint. */
async function answersOf(target: string): Promise<Answers> {
  const { stdout } = await run(python, [join(import.meta.dirname, 'batch_clients.py'), target], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as Answers;
}

/** Fields by their paths, with their types; those that only moto has, or means otherwise, are left out. */
function shapeOf(value: unknown, path = ''): [string, string][] {
  if (Array.isArray(value)) return [[path, 'list'], ...value.flatMap((item) => shapeOf(item, `${path}[]`))];
  if (value === null || typeof value !== 'object') return [[path, typeof value]];
  return Object.entries(value).flatMap(([key, item]) => (motosOwn.has(key) ? [] : shapeOf(item, path ? `${path}.${key}` : key)));
}

/** A machine under a Fargate job, and what AWS shows only of jobs that set it. */
const motosOwn = new Set(['containerInstanceArn', 'readonlyRootFilesystem', 'privileged', 'fargatePlatformConfiguration']);

/** Where moto does less than AWS, whose documentation says what it does. */
const motosGaps = new Set([
  'describe_job_definitions by revision',
  'register_job_definition with a bad name',
  'register_job_definition with a short timeout',
]);

describe.skipIf(!hasMoto)(`Batch's calls${hasMoto ? '' : ' (skipped: no Python with moto and boto3)'}`, () => {
  let cloud: RunningCloud;
  let ours: Answers;
  let motos: Answers;

  beforeAll(async () => {
    cloud = await startCloud({ assembly: writeAssembly({ Resources: batchResources() }), home: newHome(), port: 0 });
    [ours, motos] = await Promise.all([answersOf(cloud.url), answersOf('moto')]);
  });
  afterAll(() => cloud?.close());

  test('are answered with every field that moto answers with, each of its type', () => {
    expect(Object.keys(ours)).toEqual(Object.keys(motos));
    for (const [call, answer] of Object.entries(motos)) {
      if (motosGaps.has(call)) continue;
      const fields = new Map(shapeOf(ours[call]));
      // An array runs nothing itself, and so has no log.
      const asked = shapeOf(answer).filter(([path]) => call !== 'describe_jobs of an array' || path !== 'jobs[].container.logStreamName');
      expect([call, asked.filter(([path, type]) => fields.get(path) !== type)]).toEqual([call, []]);
    }
  });

  test('are refused where moto refuses them, and by the same code', () => {
    const refused = Object.entries(motos).flatMap(([call, answer]) => ('error' in answer ? [[call, answer.error]] : []));
    expect(refused.length).toBeGreaterThanOrEqual(3);
    for (const [call, error] of refused) expect([call, ours[call as string]]).toEqual([call, { error }]);
    for (const call of motosGaps) if (call.includes('with a')) expect([call, ours[call]]).toEqual([call, { error: 'ClientException' }]);
  });
});
