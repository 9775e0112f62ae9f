/** Random forests (Breiman 2001) on histogram trees, for classification and regression. */
import type { Family, Target } from '../model.ts';
import { parseParams } from '../params.ts';
import { joinTrees } from '../tree/ensemble.ts';
import { type FixedTarget, fixTarget, leafBits } from '../tree/fixed-point.ts';
import { Growth } from '../tree/growth.ts';
import { type Answer, answer } from './answer.ts';
import { ForestModel } from './forest-model.ts';
import { compareCost, type ForestParams, forestConstraints, resolve } from './params.ts';
import { forestPortfolio } from './portfolio.ts';
import { repeatRows } from './repeat-rows.ts';

export const forest: Family = {
  name: 'forest',
  grid: { nEstimators: [100, 200, 300], maxDepth: [null, 10, 20, 30], minSamplesSplit: [2, 5, 10] },
  portfolio: forestPortfolio,
  parse: (params) => parseParams('forest', forestConstraints, params),
  compareCost,
  deserialize: ForestModel.deserialize,

  async fit(x, y, params, context) {
    const complete = forest.parse(params);
    const { nEstimators, ...growth } = resolve(complete, y.task, x.columns);
    const rows = repeatRows(
      y,
      Int32Array.from({ length: x.rows }, (_, row) => row),
      context.seed,
    );
    const target = fixTarget(y, rows);
    const bits = leafBits(nEstimators);
    const grower = await Growth.on(x, target, rows, new Int32Array(), context.workers);
    const trees = await grower.grow({ ...growth, bits, seed: context.seed }, nEstimators, context.onProgress);
    return new ForestModel(complete, reading(y, target, nEstimators, bits), joinTrees(trees, grower.edges, target.outputs));
  },

  /**
   * Candidates that differ only in number of trees, depth and size of split nodes share one forest: trees are seeded by number and
   * path, so the smaller forests are parts of the largest.
   */
  async *predictGrid(x, y, trainRows, validRows, candidates, context) {
    const rows = repeatRows(y, trainRows, context.seed);
    const target = fixTarget(y, rows);
    const resolved = candidates.map((params) => resolve(forest.parse(params), y.task, x.columns));
    const groups = Map.groupBy(resolved.keys(), (index) => groupOf(resolved[index]!));
    const grower = await Growth.on(x, target, rows, validRows, context.workers);
    let finished = 0;
    for (const members of groups.values()) {
      const cuts = cutsOf(members.map((index) => resolved[index]!));
      const { maxFeatures, minSamplesLeaf, bootstrap, nEstimators } = resolved[members[0]!]!;
      const bits = leafBits(nEstimators);
      const maxDepth = cuts.depths.at(-1)!;
      const minSamplesSplit = cuts.splits.at(-1)!;
      const growth = { seed: context.seed, bits, bootstrap, maxFeatures, minSamplesLeaf, maxDepth, minSamplesSplit };
      const sums = await grower.sumCuts(growth, cuts, (done) => context.onProgress?.((finished + done) / groups.size));
      finished++;
      const stride = cuts.depths.length * cuts.splits.length * target.outputs;
      for (const candidate of members) {
        const params = resolved[candidate]!;
        const cut = cuts.splits.indexOf(params.minSamplesSplit) * cuts.depths.length + cuts.depths.indexOf(params.maxDepth);
        const offset = cuts.counts.indexOf(params.nEstimators) * validRows.length * stride + cut * target.outputs;
        const predictions = answer(reading(y, target, params.nEstimators, bits), sums, validRows.length, offset, stride);
        yield { candidate, predictions };
      }
    }
  },
};

/** What is not nested: candidates that are equal in it can be cut from one forest. */
function groupOf({ maxFeatures, minSamplesLeaf, bootstrap, nEstimators }: ForestParams): string {
  return [maxFeatures, minSamplesLeaf, bootstrap, leafBits(nEstimators)].join();
}

function cutsOf(members: ForestParams[]) {
  const distinct = (values: number[]) => [...new Set(values)].sort((a, b) => a - b);
  return {
    counts: distinct(members.map(({ nEstimators }) => nEstimators)),
    depths: distinct(members.map(({ maxDepth }) => maxDepth)),
    splits: distinct(members.map(({ minSamplesSplit }) => minSamplesSplit)).reverse(),
  };
}

function reading(y: Target, { base, unit }: FixedTarget, trees: number, bits: number): Answer {
  return { task: y.task, classes: y.task === 'classification' ? y.classes : 0, trees, bits, base, unit };
}
