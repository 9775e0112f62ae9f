import { describe, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { stages } from '../../core/names.ts';
import { putJson } from '../../core/object-store.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { getRun, listRuns, progressOf } from '../../core/registry/runs.ts';
import { Queue } from './queue.ts';

const run = 'd-0123456789ab';

describe('the progress of a run', () => {
  const at = (trials: number, ...keys: string[]) =>
    progressOf(run, new Set([...keys, ...Array.from({ length: trials }, (_, i) => modelKeys.trial(run, `forest-${i}`))]), 4);

  test('grows with every object', () => {
    const plan = modelKeys.plan(run);
    const seen = [at(0), at(0, plan), at(1, plan), at(3, plan), at(4, plan), at(4, plan, modelKeys.leaderboard(run))];
    expect(seen.map(({ stage }) => stage)).toEqual(['Plan', 'Search', 'Search', 'Search', 'Select', 'Fit']);
    expect(seen.map(({ progress }) => progress)).toEqual(seen.map(({ progress }) => progress).sort((a, b) => a - b));
    expect(seen[2]!.progress).toBeCloseTo(0.05 + (0.6 - 0.05) / 4);
  });

  test('is whole when the release is done', () => {
    expect(at(4, modelKeys.released(run))).toMatchObject({ stage: stages.at(-1)!.name, progress: 1 });
  });
});

describe('a run', () => {
  test('that no stage has begun is running, and one that is not there is undefined', async () => {
    const [store, queue] = [new MemoryObjectStore(), new Queue()];
    const record = { run, dataset: 'd', revision: 'r', createdAt: '2026-11-25T08:00:00.000Z' };
    expect(await getRun(store, queue, run)).toBeUndefined();
    await putJson(store, modelKeys.run(run), record);
    expect(await getRun(store, queue, run)).toMatchObject({ id: run, status: 'RUNNING', stage: 'Plan', progress: 0 });
  });

  test.each(['TIMED_OUT', 'ABORTED', 'FAILED'] as const)('that ended as %s without a record says what to do', async (status) => {
    const [store, queue] = [new MemoryObjectStore(), new Queue()];
    const record = { run, dataset: 'd', revision: 'r', createdAt: '2026-11-25T08:00:00.000Z' };
    await putJson(store, modelKeys.run(run), record);
    await queue.start(record);
    queue.end(run, status);
    const [found] = await listRuns(store, queue, 10);
    expect(found).toMatchObject({ status, error: { message: expect.stringContaining(run), fix: expect.any(String) } });
  });
});
