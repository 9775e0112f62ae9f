/** Families of averaged histogram trees, for classification and regression: what forests and extremely randomised trees share. */
import { Pieces } from '../checkpoint.ts';
import type { Family, FitContext, Params, Target } from '../model.ts';
import { type Constraints, parseParams } from '../params.ts';
import { joinTrees } from '../tree/ensemble.ts';
import { type FixedTarget, fixTarget, leafBits } from '../tree/fixed-point.ts';
import { Growth, type GrowthParams } from '../tree/growth.ts';
import type { GrownTree } from '../tree/thread.ts';
import { type Answer, answer } from './answer.ts';
import { ForestModel } from './forest-model.ts';
import { compareCost, type ForestParams, resolve } from './params.ts';
import { repeatRows } from './repeat-rows.ts';

/** What tells one such family from another. */
interface Kind {
  name: string;
  constraints: Constraints;
  portfolio: readonly Params[];
  splitter: GrowthParams['splitter'];
  /** Of the features, one in how many a regression looks at where maxFeatures is 'auto'. */
  autoDivisor: number;
}

export function makeForestFamily({ name, constraints, portfolio, splitter, autoDivisor }: Kind): Family {
  const parse = (params: Params) => parseParams(name, constraints, params);
  return {
    name,
    grid: { nEstimators: [100, 200, 300], maxDepth: [null, 10, 20, 30], minSamplesSplit: [2, 5, 10] },
    portfolio,
    parse,
    compareCost,
    deserialize: (bytes) => ForestModel.deserialize(name, bytes),

    async fit(x, y, params, context) {
      const complete = parse(params);
      const { nEstimators, ...growth } = resolve(complete, y.task, x.columns, autoDivisor);
      const rows = repeatRows(
        y,
        Int32Array.from({ length: x.rows }, (_, row) => row),
        context.seed,
      );
      const target = fixTarget(y, rows);
      const bits = leafBits(nEstimators);
      const grower = await Growth.on(x, target, rows, new Int32Array(), context.workers);
      const trees = await growTrees(grower, { ...growth, bits, splitter, seed: context.seed }, nEstimators, rows.length, context);
      return new ForestModel(name, complete, reading(y, target, nEstimators, bits), joinTrees(trees, grower.edges, target.outputs));
    },

    /**
     * Candidates that differ only in number of trees, depth and size of split nodes share one forest: trees are seeded by number and
     * path, so the smaller forests are parts of the largest.
     */
    async *predictGrid(x, y, trainRows, validRows, candidates, context) {
      const rows = repeatRows(y, trainRows, context.seed);
      const target = fixTarget(y, rows);
      const resolved = candidates.map((params) => resolve(parse(params), y.task, x.columns, autoDivisor));
      const groups = Map.groupBy(resolved.keys(), (index) => groupOf(resolved[index]!));
      const grower = await Growth.on(x, target, rows, validRows, context.workers);
      let finished = 0;
      for (const members of groups.values()) {
        const cuts = cutsOf(members.map((index) => resolved[index]!));
        const { maxFeatures, minSamplesLeaf, bootstrap, nEstimators } = resolved[members[0]!]!;
        const bits = leafBits(nEstimators);
        const maxDepth = cuts.depths.at(-1)!;
        const minSamplesSplit = cuts.splits.at(-1)!;
        const growth = { seed: context.seed, bits, splitter, bootstrap, maxFeatures, minSamplesLeaf, maxDepth, minSamplesSplit };
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
}

/** Trees that are grown between two looks whether it is time to keep them. */
const treesAtATime = 16;

async function growTrees(grower: Growth, params: GrowthParams, trees: number, rows: number, context: FitContext): Promise<GrownTree[]> {
  const { checkpoint, onProgress } = context;
  if (!checkpoint) return grower.grow(params, trees, onProgress);
  const pieces = await Pieces.open<GrownTree>(checkpoint, [params, rows]);
  try {
    const grown = Array.from({ length: Math.min(trees, pieces.count) }, (_, tree) => pieces.at(tree)!);
    while (grown.length < trees) {
      const first = grown.length;
      const end = Math.min(trees, first + treesAtATime);
      const made = await grower.grow(params, end, (done) => onProgress?.((first + done * (end - first)) / trees), first);
      for (const tree of made) grown.push(tree);
      await pieces.add(...made);
    }
    return grown;
  } finally {
    pieces.close();
  }
}

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
