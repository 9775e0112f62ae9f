import { afterEach, expect, test, vi } from 'vitest';
import { defaultLane } from '../../core/compute/lane.ts';
import type { Budget } from '../../core/compute/limits.ts';
import { forest } from '../../core/models/forest/forest.ts';
import { linear } from '../../core/models/linear/linear.ts';
import type { FoldFit, Target } from '../../core/models/model.ts';
import { svm } from '../../core/models/svm/svm.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { earlierFit, keepFit, keptFit } from '../../core/search/auto/objects.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import { boardOf } from '../../core/search/auto/promote.ts';
import { runAutoTrial } from '../../core/search/auto/run-trial.ts';
import { failedTrial, failuresOf, requireSome, withFailed } from '../../core/search/failed.ts';
import { fitBest } from '../../core/search/fit-best.ts';
import { leastFit } from '../../core/search/least-fit.ts';
import type { Candidate } from '../../core/search/plan.ts';
import { planSearch } from '../../core/search/plan-search.ts';
import { runTrial } from '../../core/search/run-trial.ts';
import { select } from '../../core/search/selection.ts';
import { makeSample } from '../models/data.ts';

const { x, y } = makeSample(300, 4, 2, 1);
const question = { run: 'r', dataset: 'd', revision: 'v', task: y.task, rows: x.rows };
const shape = { rows: x.rows, features: x.columns, classes: 2 };
const auto = planAuto({ ...question, spec: { families: ['linear', 'svm'], folds: 2 } }, shape, defaultLane);
const message = 'TypeError: not positive definite';

afterEach(() => {
  vi.restoreAllMocks();
});

const breaks = (family: { fit: typeof linear.fit }) => vi.spyOn(family, 'fit').mockRejectedValue(new TypeError('not positive definite'));

test('a candidate that fails does not take the others of its trial with it, and the leaderboard says why', async () => {
  breaks(svm);
  const results = [];
  for (const trial of auto.trials) results.push(await runAutoTrial(auto, trial, x, y, { workers: 1, keep: async () => undefined }));
  const of = (name: string) => auto.candidates.filter(({ family }) => family === name).map(({ id }) => id);
  expect(failuresOf(results)).toEqual([{ candidates: of('svm'), message }]);
  expect(results.every(({ stopped }) => !stopped)).toBe(true);
  const board = boardOf(auto, [{ trials: { rung: 0, candidates: auto.candidates.map(({ id }) => id), trials: auto.trials }, results }]);
  expect(of('linear')).toContain(board.best);
  expect(board.failed).toEqual([{ candidates: of('svm'), message }]);
});

test('of a grid, a family that fails does not take the others with it', async () => {
  const plan = planSearch({ ...question, spec: { search: 'grid', families: ['linear', 'forest'], folds: 2 } });
  vi.spyOn(forest, 'predictGrid').mockImplementation(() => {
    throw new TypeError('not positive definite');
  });
  const failed = await runTrial(plan, 'forest-0', x, y, { workers: 1 });
  expect(failed).toMatchObject({ scores: [], failed: [{ message }] });
  expect((await runTrial(plan, 'linear-0', x, y, { workers: 1 })).failed).toBeUndefined();
});

test('of a grid, the next best is fitted where the best cannot be, and nothing of which no score is known', async () => {
  const grids = { linear: { penalty: ['l2'], alpha: [0.001, 0.01, 0.1] }, svm: { kernel: ['linear'], C: [1] } } as const;
  const plan = planSearch({ ...question, spec: { search: 'grid', families: ['linear', 'svm'], folds: 2, grids: grids as never } });
  const results = [];
  for (const { id, family } of plan.trials) if (family === 'linear') results.push(await runTrial(plan, id, x, y, { workers: 1 }));
  const board = select(plan, results);
  const ranked = board.entries.map(({ candidate }) => candidate);
  const model = await linear.fit(x, y, {}, { seed: 1, workers: 1 });
  const fitBut =
    (broken: number[]) =>
    async ({ id }: Candidate) => {
      if (broken.includes(id)) throw new TypeError('not positive definite');
      return model;
    };
  expect((await fitBest(plan, board, fitBut([]))).passedOver).toEqual([]);
  const { candidate, passedOver } = await fitBest(plan, board, fitBut(ranked.slice(0, 2)));
  expect(candidate.id).toBe(ranked[2]);
  expect(passedOver).toEqual(ranked.slice(0, 2).map((id) => ({ candidates: [id], message })));
  // The fourth is the machine, which was not tried.
  await expect(fitBest(plan, board, fitBut(ranked.slice(0, 3)))).rejects.toThrow('not positive definite');
});

test('a trial that was ended keeps what it has, and the rest has failed; under a budget its time was over too', () => {
  const [trial] = auto.trials;
  const [first, ...rest] = trial!.candidates!;
  const result = { trial: trial!.id, fold: trial!.fold, seconds: 1, scores: [{ candidate: first!, scores: {} }], stopped: true as const };
  const ended = withFailed(auto, trial!, result, 'It was ended.');
  expect(ended).toEqual({ ...result, stopped: undefined, failed: [{ candidates: rest, message: 'It was ended.' }] });
  expect(withFailed({ ...auto, budget: {} as Budget }, trial!, result, 'It was ended.').stopped).toBe(true);
});

test('where nothing can be fitted the run says why; where the time was over it does not', () => {
  const failed = auto.trials.map((trial) => failedTrial(auto, trial, 'Its memory was used up.'));
  expect(() => requireSome(failed)).toThrow('No candidate could be fitted: Its memory was used up.');
  expect(() => requireSome([...failed, { trial: 't', fold: 0, seconds: 0, scores: [], stopped: true }])).not.toThrow();
});

test('an attempt after one that was ended takes up what that one has kept, and fits no more when the time is over', async () => {
  const models = new MemoryObjectStore();
  const trial = auto.trials[0]!;
  let keptSoFar = 0;
  const context = {
    workers: 1,
    keep: (candidate: number, fit: FoldFit) => {
      keptSoFar++;
      return keepFit(models, auto.run, trial, candidate, fit);
    },
    kept: (candidate: number, truth: Target) => keptFit(models, auto, trial, candidate, truth),
  };
  const cut = await runAutoTrial(auto, trial, x, y, { ...context, isOver: () => keptSoFar > 0 });
  expect(cut.stopped).toBe(true);
  expect(cut.scores).toHaveLength(1);
  const again = await runAutoTrial(auto, trial, x, y, { ...context, isOver: () => true });
  const scored = ({ scores }: typeof cut) => scores.map(({ seconds: _, ...score }) => score);
  expect(scored(again)).toEqual(scored(cut));
});

test('a rung on the same rows of a fold as the one before takes up its fits; on other rows, or where a clock may have stopped them, none', async () => {
  const models = new MemoryObjectStore();
  const rung = { ...auto.rungs!.at(-1)!, folds: [0, 1] };
  const two = { ...auto, rungs: [{ ...rung, folds: [0] }, rung] };
  const before = { ...auto.trials[0]!, rung: 0, fold: 0 };
  const fits: FoldFit[] = [];
  const keep = async (candidate: number, fit: FoldFit) => {
    fits.push(fit);
    await keepFit(models, auto.run, before, candidate, fit);
  };
  const done = await runAutoTrial(two, before, x, y, { workers: 1, keep });
  const [candidate] = before.candidates as [number];
  const truth: Target = { ...y, labels: new Int32Array(rung.validRows) } as Target;
  const taken = (plan: typeof two, fold: number) => earlierFit(models, plan, { ...before, rung: 1, fold }, candidate, truth);
  expect((await taken(two, 0))!.predictions).toEqual(fits[0]!.predictions);
  expect((await keptFit(models, two, { ...before, rung: 1 }, candidate, truth))!.model.serialize()).toEqual(fits[0]!.model.serialize());
  expect(done.scores[0]!.candidate).toBe(candidate);
  expect(await taken(two, 1)).toBeUndefined();
  expect(await taken({ ...two, rungs: [{ ...rung, folds: [0], trainRows: 100 }, rung] }, 0)).toBeUndefined();
  expect(await taken({ ...two, rungs: [{ ...rung, folds: [0], until: 30 }, rung] }, 0)).toBeUndefined();
});

test('the least that there is to answer with is the cheapest candidate, and the next where that cannot be fitted', async () => {
  const first = await leastFit(auto, x, y, 1);
  expect(first.model.family).toBe(first.candidate.family);
  breaks(linear);
  expect((await leastFit(auto, x, y, 1)).candidate.family).toBe('svm');
  breaks(svm);
  await expect(leastFit(auto, x, y, 1)).rejects.toThrow('not positive definite');
});
