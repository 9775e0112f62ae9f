/** Gradient boosting (Friedman 2001) on histogram trees that grow leaf-wise (Ke et al. 2017), for classification, regression and quantiles. */
import { Pieces } from '../checkpoint.ts';
import { type Shares, shareRows } from '../early-stopping.ts';
import type { Family, FitContext, Target } from '../model.ts';
import { parseParams } from '../params.ts';
import type { Growth } from '../tree/growth.ts';
import { answer } from './answer.ts';
import { joinBoosted } from './boosted-trees.ts';
import { type BoostedTree, Booster, binTable } from './booster.ts';
import { BoostingModel } from './boosting-model.ts';
import { meanLoss, type Objective, objectiveOf, targetsOf } from './objective.ts';
import { type BoostingParams, boostingConstraints, compareCost, resolve } from './params.ts';
import { boostingPortfolio } from './portfolio.ts';

/** How long rounds go on before the event loop turns. */
const turnMilliseconds = 20;

export const boosting: Family = {
  name: 'boosting',
  grid: { nEstimators: [50, 100, 200, 400], learningRate: [0.1], maxLeaves: [7, 31], minSamplesLeaf: [20] },
  portfolio: boostingPortfolio,
  parse: (params) => parseParams('boosting', boostingConstraints, params),
  compareCost,
  deserialize: BoostingModel.deserialize,

  async fit(x, y, params, context) {
    const complete = boosting.parse(params);
    const resolved = resolve(complete);
    const rows = new Int32Array(x.rows).map((_, row) => row);
    const shares = shareRows(rows, resolved, context.seed);
    const growth = await binTable(x, shares.train, shares.stopping, context.workers);
    const trees: BoostedTree[] = [];
    let kept = 0;
    const objective = objectiveOf(y, shares.train, resolved);
    const rounds = runRounds(growth, objective, y, shares, resolved, resolved.nEstimators, context);
    for await (const { round, best, grown } of rounds) {
      for (const tree of grown) trees.push(tree);
      kept = best;
      context.onProgress?.(round / resolved.nEstimators);
    }
    const { outputs } = objective.answer;
    const joined = joinBoosted(trees.slice(0, kept * outputs), growth.edges, x.columns, outputs);
    return new BoostingModel(complete, objective.answer, joined);
  },

  /** The other rows say when to stop: one run is every number of rounds. */
  async fitFold(x, y, rows, validRows, params, context) {
    const complete = boosting.parse(params);
    const resolved = { ...resolve(complete), earlyStopping: true };
    const growth = await binTable(x, rows, validRows, context.workers);
    const objective = objectiveOf(y, rows, resolved);
    const trees: BoostedTree[] = [];
    let steps = 0;
    let scores: Float64Array = new Float64Array();
    const rounds = runRounds(growth, objective, y, { train: rows, stopping: validRows }, resolved, resolved.nEstimators, context);
    for await (const { round, best, grown, booster } of rounds) {
      for (const tree of grown) trees.push(tree);
      if (best === round) {
        steps = best;
        scores = booster.scores(rows.length, rows.length + validRows.length);
      }
      if (context.isOver?.()) break;
      context.onProgress?.(round / resolved.nEstimators);
    }
    const { outputs } = objective.answer;
    const joined = joinBoosted(trees.slice(0, steps * outputs), growth.edges, x.columns, outputs);
    const model = new BoostingModel({ ...complete, nEstimators: steps }, objective.answer, joined);
    return { model, predictions: answer(objective.answer, scores), steps };
  },

  /** Candidates that differ only in the number of rounds share one run. */
  async *predictGrid(x, y, rows, validRows, candidates, context) {
    const resolved = candidates.map((params) => resolve(boosting.parse(params)));
    const groups = Map.groupBy(resolved.keys(), (index) => JSON.stringify({ ...resolved[index]!, nEstimators: 0 }));
    let finished = 0;
    for (const members of groups.values()) {
      const params = resolved[members[0]!]!;
      const shares = shareRows(rows, params, context.seed);
      const growth = await binTable(x, shares.train, Int32Array.from([...shares.stopping, ...validRows]), context.workers);
      const objective = objectiveOf(y, shares.train, params);
      const wanted = new Set(members.map((index) => resolved[index]!.nEstimators));
      const most = Math.max(...wanted);
      const scores = new Map<number, Float64Array>();
      let last: Float64Array = new Float64Array();
      const valid = rows.length;
      for await (const { round, best, booster } of runRounds(growth, objective, y, shares, params, most, {
        ...context,
        checkpoint: undefined,
      })) {
        if (best === round && (params.earlyStopping || wanted.has(round))) last = booster.scores(valid, valid + validRows.length);
        if (wanted.has(round)) scores.set(round, last);
        context.onProgress?.((finished + round / most) / groups.size);
      }
      finished++;
      for (const candidate of members)
        yield { candidate, predictions: answer(objective.answer, scores.get(resolved[candidate]!.nEstimators) ?? last) };
    }
  },
};

/** Grows up to `most` rounds. Yields after each: its number from 1 on, the best one until now (itself, but for early stopping), and its trees. */
async function* runRounds(
  growth: Growth,
  objective: Objective,
  y: Target,
  { train, stopping }: Shares,
  params: BoostingParams,
  most: number,
  { seed, workers, checkpoint }: FitContext,
): AsyncGenerator<{ round: number; best: number; grown: BoostedTree[]; booster: Booster }> {
  const booster = new Booster(growth, objective, params, seed, workers);
  const pieces = await Pieces.open<BoostedTree[]>(checkpoint, [{ ...params, nEstimators: 0 }, seed, train.length, stopping.length]);
  const target = stopping.length > 0 ? targetsOf(y, stopping, objective.answer) : new Float64Array();
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  let turn = performance.now();
  try {
    for (let round = 1; round <= most; round++) {
      const former = pieces.at(round - 1);
      const grown = former ? booster.replay(former) : booster.grow();
      if (stopping.length === 0) best = round;
      else {
        const loss = meanLoss(objective, params, target, booster.scores(train.length, train.length + stopping.length));
        if (loss < least) {
          least = loss;
          best = round;
        }
      }
      yield { round, best, grown, booster };
      if (!former) await pieces.add(grown);
      if (round - best >= params.nIterNoChange) return;
      if (performance.now() - turn < turnMilliseconds) continue;
      await new Promise(setImmediate);
      turn = performance.now();
    }
  } finally {
    pieces.close();
    booster.stop();
  }
}
