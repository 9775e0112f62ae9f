import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BatchSettings,
  expectedWait,
  jobSize,
  largerJob,
  machineKinds,
  margin,
  parseBatch,
  preparingJob,
  shareOf,
} from '../../core/compute/batch.ts';
import { chooseLane, mayTakeBatch, type Option } from '../../core/compute/choose-lane.ts';
import { estimateRun, spentOn } from '../../core/compute/cost.ts';
import { exactly } from '../../core/compute/interval.ts';
import { batchLane, defaultLane, type Lane } from '../../core/compute/lane.ts';
import type { Limits } from '../../core/compute/limits.ts';
import { cleaningBytes, featureBytes } from '../../core/compute/table-memory.ts';
import { batchWays, functionWay, type Question, rowsWithRoom } from '../../core/compute/ways.ts';
import { shares } from '../../core/names.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { planOf } from './plans.ts';

const gigabyte = 2 ** 30;
const settings: BatchSettings = {
  maxVcpus: 64,
  uploadMegabytes: 500,
  queues: { fargate: { queue: 'f', train: 't', prepare: 'p' }, ec2: { queue: 'e', train: 't', prepare: 'p' } },
};

const way = (shape: { rows: number; features: number; classes: number }, spec = {}) => {
  const question = { plan: planOf(shape, spec), shape, functions: defaultLane };
  return { functions: functionWay(question), batch: batchWays(question, settings) };
};

const small = { rows: 500, features: 30, classes: 2 };
const large = { rows: 3_000_000, features: 100, classes: 2 };
/** More than Fargate's 120 GB. */
const huge = { rows: 1_000_000_000, features: 300, classes: 2 };

describe('a lane is the smallest compute that can do the work in time', () => {
  test('functions do what they can, and nobody asks Batch', () => {
    const { functions } = way(small);
    expect(functions.obstacle).toBeUndefined();
    expect(mayTakeBatch(functions, undefined)).toBe(false);
    expect(chooseLane(functions, []).choice).toEqual({
      lane: 'lambda',
      reason: expect.stringMatching(/^Functions can do it/),
      fallback: true,
    });
  });

  test('Batch does what takes a function more than its memory or its 15 minutes, and says so', () => {
    const { functions, batch } = way(large);
    const { option, choice } = chooseLane(functions, batch);
    expect(choice).toEqual({
      lane: 'cpu',
      reason: expect.stringMatching(/a function has (2\.9 GB|15 minutes)\. Batch takes about/),
      fallback: false,
    });
    expect(option.lane.job).toMatchObject({ machines: 'fargate' });
    expect(option.lane.job!.memory * 2 ** 20).toBeGreaterThan(option.memory);
  });

  test('what is too large for Fargate goes to EC2, and what is too large for all is refused with what to do', () => {
    const { functions, batch } = way({ ...large, rows: 40_000_000 });
    expect(chooseLane(functions, batch).option.lane.job).toMatchObject({ machines: 'ec2' });
    const none = way(huge);
    expect(() => chooseLane(none.functions, none.batch)).toThrow(/Nothing here can do the work/);
  });

  test('where there is no Batch, functions try, and the reason says that they may fail', () => {
    const { functions } = way(large);
    expect(chooseLane(functions, []).choice).toMatchObject({
      lane: 'lambda',
      reason: expect.stringMatching(/There is no Batch here/),
      fallback: false,
    });
  });

  test('Batch is taken where functions would do, but only if it is much sooner, its queue included', () => {
    const option = (seconds: number, more: Partial<Option> = {}): Option => {
      const estimate = { ...estimateRun(planOf(small), small, defaultLane), seconds: exactly(seconds) };
      return { lane: defaultLane, estimate, memory: estimate.memory, longest: 60, wait: 0, ...more };
    };
    const batch = option(500, { lane: batchLane(defaultLane, { machines: 'fargate', vcpus: 4, memory: 8192 }, 5, 64) });
    expect(chooseLane(option(3600), [batch]).choice.lane).toBe('cpu');
    expect(chooseLane(option(900), [batch]).choice.lane).toBe('lambda');
    expect(chooseLane(option(3600), [{ ...batch, wait: 1500 }]).choice.lane).toBe('lambda');
    expect(chooseLane(option(3600), [{ ...batch, obstacle: 'The job queue is disabled.' }]).choice.lane).toBe('lambda');
    expect(chooseLane(option(500, { obstacle: 'Too large.' }), [{ ...batch, wait: 1500 }]).choice.lane).toBe('cpu');
  });

  test('dataset.json may ask for one, and is told why where it is not there', () => {
    const { functions, batch } = way(small);
    expect(chooseLane(functions, batch, 'cpu').choice).toEqual({ lane: 'cpu', reason: 'dataset.json asks for it.', fallback: true });
    expect(chooseLane(way(large).functions, batch, 'lambda').choice.lane).toBe('lambda');
    expect(() => chooseLane(functions, batch, 'gpu')).toThrow("The lane 'gpu' cannot be taken: This deployment has none.");
    expect(() => chooseLane(functions, batch, 'gpu')).toThrow(
      expect.objectContaining({ fix: expect.stringMatching(/^Leave the field out/) }),
    );
    expect(() => chooseLane(functions, [{ ...batch[0]!, obstacle: 'The job queue is disabled.' }], 'cpu')).toThrow(/disabled/);
  });

  test('machines with a GPU are for those who ask, who are told that no family here makes use of it', () => {
    const queues = { ...settings.queues, gpu: { queue: 'g', train: 't', prepare: 'p' } };
    const chosen = (shape: typeof small, asked?: 'gpu') => {
      const question = { plan: planOf(shape), shape, functions: defaultLane };
      return chooseLane(functionWay(question), batchWays(question, { ...settings, queues }), asked);
    };
    const wide = { ...small, rows: 200_000 };
    expect(chosen(wide, 'gpu')).toMatchObject({
      option: { machines: 'gpu' },
      choice: {
        lane: 'gpu',
        reason: expect.stringMatching(/asks for it\. No family .* makes use of a GPU: the lane cpu does the same for less/),
      },
    });
    for (const shape of [small, wide, large]) expect(chosen(shape).choice.lane).not.toBe('gpu');
  });

  test('an automatic search is planned for the lane that it takes, in its budget', () => {
    const asked = (shape: typeof small, budget?: { minutes: number }) => {
      const spec = { run: 'r', dataset: 'd', revision: 'v', task: 'classification', rows: shape.rows } as const;
      const plan = (lane: Lane, limits: Limits | undefined) => planAuto({ ...spec, spec: { budget: limits } }, shape, lane);
      const question = { plan, shape, functions: defaultLane, limits: budget };
      return chooseLane(functionWay(question), batchWays(question, settings));
    };
    expect(asked(small)).toMatchObject({ option: { lane: defaultLane }, choice: { lane: 'lambda', fallback: true } });
    const { option, choice } = asked(large, { minutes: 60 });
    expect(choice).toMatchObject({ lane: 'cpu', fallback: false });
    expect(option.lane.job!.memory * 2 ** 20).toBeGreaterThan(option.memory);
    expect(option.plan.estimate!.lane).toEqual(option.lane);
    expect(option.estimate.seconds.high).toBeLessThanOrEqual(3600);
    expect(option.budget!.fitUntil).toBeLessThan(3600);
  });

  test('a budget is kept on Batch too, the start of its machines included', () => {
    const question = (budget: object) => ({ plan: planOf(small), shape: small, functions: defaultLane, limits: budget });
    const [minute] = batchWays(question({ minutes: 2 }), settings);
    expect(minute!.obstacle).toMatch(/The budget is too small/);
    const [enough] = batchWays(question({ dollars: 0.2, minutes: 30 }), settings);
    expect(enough!.obstacle).toBeUndefined();
    expect(enough!.estimate.dollars.high).toBeLessThanOrEqual(0.2);
    expect(enough!.budget!.searchUntil).toBeGreaterThan(minute!.estimate.seconds.low);
  });
});

describe('a job', () => {
  test('is the smallest of its machines that has the memory, within the vCPUs that there may be', () => {
    expect(jobSize('fargate', gigabyte, 64)).toEqual({ machines: 'fargate', vcpus: 4, memory: 8192 });
    expect(jobSize('fargate', 20 * gigabyte, 64)).toEqual({ machines: 'fargate', vcpus: 4, memory: 26 * 1024 });
    expect(jobSize('fargate', 80 * gigabyte, 64)).toEqual({ machines: 'fargate', vcpus: 16, memory: 104 * 1024 });
    expect(jobSize('fargate', 100 * gigabyte, 64)).toBeUndefined();
    expect(jobSize('fargate', 20 * gigabyte, 2)).toBeUndefined();
    expect(jobSize('fargate', gigabyte, 1)).toEqual({ machines: 'fargate', vcpus: 1, memory: 2048 });
  });

  test('has the memory that it needs, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...machineKinds),
        fc.double({ min: 1, max: 1e12, noNaN: true }),
        fc.integer({ min: 1, max: 256 }),
        (kind, bytes, vcpus) => {
          const size = jobSize(kind, bytes, vcpus);
          if (size) expect(size.memory * 2 ** 20 >= bytes && size.vcpus <= vcpus).toBe(true);
        },
      ),
    );
  });

  const queue = { queue: 'q', train: 't', prepare: 'p' };

  test('that cleans or transforms 20 GB of numbers is the smallest that there is', () => {
    const batch: BatchSettings = { maxVcpus: 64, uploadMegabytes: 500, queues: { fargate: queue } };
    const columns = Array.from({ length: 60 }, () => ({ type: 'number', role: 'feature' }));
    const report = { rows: { kept: 18_000_000 }, columns, files: [{ bytes: 20e9 }] } as unknown as CleanReport;
    for (const bytes of [cleaningBytes(20e9), featureBytes(report)])
      expect(preparingJob(batch, bytes)).toEqual({ machines: 'fargate', vcpus: 4, memory: 8192 });
  });

  test('that prepares a table has the memory or the most that there is, and each that takes over has more, up to that', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e13, noNaN: true }), fc.integer({ min: 4, max: 256 }), fc.boolean(), (bytes, maxVcpus, ec2) => {
        const batch: BatchSettings = { maxVcpus, uploadMegabytes: 500, queues: { fargate: queue, ...(ec2 && { ec2: queue }) } };
        const first = preparingJob(batch, bytes)!;
        let last = first;
        for (let next = largerJob(batch, first.memory); next; next = largerJob(batch, next.memory)) {
          expect(next.memory).toBeGreaterThan(last.memory);
          last = next;
        }
        expect(last.memory).toBe(preparingJob(batch, Number.MAX_SAFE_INTEGER)!.memory);
        expect(first.memory * 2 ** 20 >= bytes * margin || first.memory === last.memory).toBe(true);
      }),
    );
  });

  test('of a search has two siblings at least, as an array job of Batch has, and no more than trials or room', () => {
    const size = { machines: 'fargate', vcpus: 4, memory: 8192 } as const;
    expect(batchLane(defaultLane, size, 5, 64).concurrency).toBe(5);
    expect(batchLane(defaultLane, size, 60, 64).concurrency).toBe(16);
    expect(batchLane(defaultLane, size, 5, 4).concurrency).toBe(2);
  });

  test('is paid by the vCPU and the GB, on demand at most and spot at best', () => {
    const size = { machines: 'fargate', vcpus: 4, memory: 8192 } as const;
    const lane = batchLane(defaultLane, size, 5, 64);
    const hour = 4 * 0.03238 + 8 * 0.00356;
    const search = (seconds: number) => spentOn([{ stage: 'Search', seconds }], lane).dollars;
    expect(search(3600 + 100) - search(100)).toBeCloseTo(hour, 10);
    const { dollars } = estimateRun(planOf(small), small, lane);
    expect(dollars.low).toBeLessThan(0.5 * dollars.point);
  });

  test('is paid from its start on, each rung for its own jobs', () => {
    const lane = batchLane(defaultLane, { machines: 'fargate', vcpus: 4, memory: 8192 }, 5, 64);
    const trials = (count: number, rung: number) => Array.from({ length: count }, () => ({ stage: 'Search' as const, seconds: 10, rung }));
    const seconds = (done: Parameters<typeof spentOn>[0]) => spentOn(done, lane).seconds;
    const start = seconds([...trials(1, 0), ...trials(1, 0), ...trials(1, 0)]) - seconds(trials(2, 0)) - 11.5;
    // Five machines at once for one rung of eight; three and then five for two rungs of as many.
    expect(seconds([...trials(3, 0), ...trials(5, 1)]) - seconds(trials(8, 0))).toBeCloseTo(3 * start, 6);
    // An array has two children at least.
    expect(seconds([...trials(1, 0), ...trials(1, 1)]) - seconds(trials(2, 0))).toBeCloseTo(2 * start, 6);
    expect(start).toBeGreaterThan(0);
  });
});

describe('shares', () => {
  test('go by priority', () => {
    expect([0, 33, 34, 50, 66, 67, 100].map(shareOf)).toEqual(['whenever', 'whenever', 'normal', 'normal', 'normal', 'urgent', 'urgent']);
  });

  test('wait longer the less right they have, and not at all where there is room', () => {
    const state = { maxVcpus: 64, busyVcpus: 64, waitingVcpus: { urgent: 100, normal: 100, whenever: 100 } };
    const [urgent, normal, whenever] = shares.map(({ name }) => expectedWait(state, 4, name)) as [number, number, number];
    expect(0 < urgent && urgent < normal && normal < whenever).toBe(true);
    expect(expectedWait({ maxVcpus: 64, busyVcpus: 60, waitingVcpus: {} }, 4, 'whenever')).toBe(0);
  });
});

test('a deployment without Batch has no settings of it', () => {
  expect(parseBatch(undefined)).toBeUndefined();
  expect(parseBatch(JSON.stringify(settings))).toEqual(settings);
});

describe('rows to train on', () => {
  const asked =
    (features: number) =>
    (trained: number): Question => {
      const shape = { rows: trained, features, classes: 2 };
      return { plan: planOf(shape), shape, tableRows: trained, functions: defaultLane };
    };

  test('are all, where a lane has the memory for them', () => {
    expect(rowsWithRoom(asked(20), 100_000, undefined)).toBe(100_000);
    expect(rowsWithRoom(asked(20), 10_000_000, settings)).toBe(10_000_000);
  });

  test('are as many as there is room for, in memory and in what threads share; more with Batch than without', () => {
    const alone = rowsWithRoom(asked(20), 20_000_000, undefined);
    const most = rowsWithRoom(asked(20), 200_000_000, settings);
    expect(alone).toBeLessThan(20_000_000);
    expect(most).toBeGreaterThan(alone);
    expect(most).toBeLessThan(40_000_000);
    expect(rowsWithRoom(asked(200), 200_000_000, settings)).toBeLessThan(most);
  });

  test('are all, where not even few have room: then it is for the lane to say why', () => {
    const functions = { ...defaultLane, pipelineMemory: 256 };
    expect(rowsWithRoom((trained) => ({ ...asked(20)(trained), functions }), 800_000, undefined)).toBe(800_000);
  });
});
