/** One run of boosting: rounds of trees on a binned training set. */
import { mix32, Random } from '../../random.ts';
import type { Matrix } from '../model.ts';
import { linksOf } from '../tree/ensemble.ts';
import { Growth } from '../tree/growth.ts';
import { type Objective, quantileOf } from './objective.ts';
import { type BoostingParams, mostGradientBits } from './params.ts';
import {
  type BoostKernel,
  blockBytes,
  foundBytes,
  histogramBytes,
  instantiateBoost,
  largestGroup,
  leafBytes,
  leafLowAt,
  leafValueAt,
  nodeBytes,
  RunHeader,
  rowsPerTask,
  scoreUnit,
} from './run-memory.ts';
import { callThreads } from './run-threads.ts';

/** A tree in preorder. */
export interface BoostedTree {
  /** feature << 8 | bin, or `leaf`. */
  splits: number[];
  /** Whether a missing value goes left. */
  missingLeft: number[];
  /** In units, by leaf in preorder. */
  leaves: number[];
}

export const leaf = 0xffff_ffff;
const missingBin = 255;
/** Cells (rows × features) below which helpers would cost more than they give. */
const smallTable = 500_000;
/**
 * To how many bits gradients of classes are rounded. Rounding by chance blurs a leaf's sum by what its rows still miss, while what they tell is the
 * square of it: rows that are nearly right, of which nothing is to be had but what one learns by heart, drown in the noise.
 */
const classBits = 1;
/** Told apart in the seed: the bag, the features and the rounding of a round. */
const [bagSeed, featureSeed, roundingSeed] = [1, 2, 3] as const;

/** Features of a task: as many tasks for each thread, in groups as large as may be, and even, as features are added up in powers of two. */
function groupOf(features: number, threads: number): number {
  const rounds = Math.ceil(features / largestGroup / threads);
  return 2 * Math.ceil(features / (rounds * threads * 2));
}

/** The bins of a training set, and of rows that are predicted as it goes on. */
export async function binTable(x: Matrix, rows: Int32Array, others: Int32Array, workers: number): Promise<Growth> {
  return Growth.on(x, { values: new Int32Array(), outputs: 1, base: 0, unit: 1 }, rows, others, workers);
}

export class Booster {
  private readonly growth: Growth;
  private readonly objective: Objective;
  private readonly params: BoostingParams;
  private readonly seed: number;
  private readonly kernel: BoostKernel;
  private readonly header: RunHeader;
  private readonly rows: number;
  private readonly allRows: number;
  private readonly features: number;
  private readonly at: Record<'allowed' | 'scores' | 'order' | 'leaves' | 'nodes', number>;
  private readonly every: Uint32Array;
  private used: number;
  private round = 0;

  /** @param growth whose bins are of the rows to train on, `rows` of them, and then of those to predict */
  constructor(growth: Growth, objective: Objective, params: BoostingParams, seed: number, workers: number) {
    const { shared } = growth;
    const [features, rows, allRows] = [shared.get('features'), shared.get('rows'), shared.get('allRows')];
    const { outputs, base } = objective.answer;
    const threads = rows * features < smallTable ? 1 : workers;
    const leaves = Math.min(params.maxLeaves, rows);
    const cells = features * histogramBytes;
    const address = shared.take(RunHeader.bytes);
    const bytes = {
      allowed: features,
      target: rows * 8,
      weights: objective.weights.length * 8,
      scores: outputs * allRows * 8,
      shares: objective.kind === 1 ? outputs * rows * 8 : 0,
      exact: rows * 8,
      packed: rows * 8,
      order: rows * 4,
      spare: rows * 4,
      histograms: leaves * cells,
      blocks: threads * blockBytes,
      tasks: Math.ceil(rows / rowsPerTask) * 8,
      found: leaves * features * foundBytes,
      leaves: leaves * leafBytes,
      nodes: 2 * leaves * nodeBytes,
    };
    const at = Object.fromEntries(Object.entries(bytes).map(([name, size]) => [name, shared.take(size)])) as Record<
      keyof typeof bytes,
      number
    >;
    this.growth = growth;
    this.objective = objective;
    this.params = params;
    this.seed = seed;
    this.rows = rows;
    this.allRows = allRows;
    this.features = features;
    this.at = at;
    this.used = rows;
    this.every = new Uint32Array(rows).map((_, row) => row);
    this.header = new RunHeader(shared, address);
    const { memory } = shared;
    new Uint8Array(memory.buffer, address, RunHeader.bytes).fill(0);
    new Float64Array(memory.buffer, at.target, rows).set(objective.target);
    new Float64Array(memory.buffer, at.weights, objective.weights.length).set(objective.weights);
    for (const [k, score] of base.entries()) new Float64Array(memory.buffer, at.scores + k * allRows * 8, allRows).fill(score);
    const { learningRate, l2, minGain, minSumHessian, quantile, maxDepth, minSamplesLeaf, stochasticRounding } = params;
    const bits = params.gradientBits ?? (stochasticRounding && objective.kind < 2 ? classBits : mostGradientBits);
    this.header.set({
      ...{ ...at, features, rows, allRows, threads, outputs, learningRate, l2, minGain, minSumHessian, quantile, maxDepth, minSamplesLeaf },
      bins: shared.get('bins'),
      columnBins: shared.get('columnBins'),
      objective: objective.kind,
      used: rows,
      group: groupOf(features, threads),
      maxLeaves: leaves,
      gradientUnit: objective.gradientUnit,
      hessianUnit: objective.hessianUnit,
      // The sum over all rows stays within 31 bits.
      bits: Math.min(bits, 30 - Math.ceil(Math.log2(rows))),
      stochastic: stochasticRounding ? 1 : 0,
    });
    this.kernel = instantiateBoost(memory);
    this.kernel.enter(address, 0);
    if (threads > 1) callThreads(memory, address, threads);
  }

  /** Grows the next round's trees, one for each output, and adds them to the scores. */
  grow(): BoostedTree[] {
    const { kernel, header, objective, params, growth } = this;
    const { memory } = growth.shared;
    this.drawRound();
    if (objective.kind === 1) kernel.shares();
    if (objective.kind === 2) header.set({ gradientUnit: this.residualUnit(kernel.largest()) });
    const bag = this.used < this.rows ? new Uint32Array(memory.buffer, this.at.order, this.used).slice() : this.every;
    const trees: BoostedTree[] = [];
    for (let output = 0; output < objective.answer.outputs; output++) {
      new Uint32Array(memory.buffer, this.at.order, this.used).set(bag);
      header.set({ output, seed: mix32(mix32(this.seed, roundingSeed), this.round * objective.answer.outputs + output) });
      kernel.gradients();
      const leaves = kernel.growTree();
      if (objective.kind === 3) for (let i = 0; i < leaves; i++) kernel.setStep(i, this.quantileStep(i, params.quantile));
      kernel.settle();
      trees.push(this.read());
    }
    this.round++;
    return trees;
  }

  /** Takes a round's trees from a former attempt, and adds them to the scores: sums of whole numbers, the same as if they had been grown now. */
  replay(trees: BoostedTree[]): BoostedTree[] {
    const { buffer } = this.growth.shared.memory;
    const bins = new Uint8Array(buffer, this.growth.shared.get('bins'), this.allRows * this.features);
    trees.forEach(({ splits, missingLeft, leaves }, output) => {
      const links = linksOf(Uint32Array.from(splits));
      const scores = new Float64Array(buffer, this.at.scores + output * this.allRows * 8, this.allRows);
      for (let row = 0; row < this.allRows; row++) {
        let node = 0;
        for (let split = splits[0]!; split !== leaf; split = splits[node]!) {
          const bin = bins[row * this.features + (split >>> 8)]!;
          node = (bin === missingBin ? missingLeft[node] === 1 : bin <= (split & 255)) ? node + 1 : links[node]!;
        }
        scores[row]! += leaves[links[node]!]!;
      }
    });
    this.round++;
    return trees;
  }

  /** float64 [outputs × rows]: the scores, in units, of the rows [from, to) of the bins. */
  scores(from: number, to: number): Float64Array {
    const { outputs } = this.objective.answer;
    const all = new Float64Array(this.growth.shared.memory.buffer, this.at.scores, outputs * this.allRows);
    const part = new Float64Array(outputs * (to - from));
    for (let k = 0; k < outputs; k++) part.set(all.subarray(k * this.allRows + from, k * this.allRows + to), k * (to - from));
    return part;
  }

  stop(): void {
    this.header.stop();
  }

  /** Draws the round's rows and features. */
  private drawRound(): void {
    const { subsample, colsample } = this.params;
    const { memory } = this.growth.shared;
    const allowed = new Uint8Array(memory.buffer, this.at.allowed, this.features).fill(colsample < 1 ? 0 : 1);
    if (colsample < 1) {
      const order = Uint32Array.from({ length: this.features }, (_, feature) => feature);
      new Random(mix32(mix32(this.seed, featureSeed), this.round)).shuffle(order);
      for (const feature of order.subarray(0, Math.ceil(colsample * this.features))) allowed[feature] = 1;
    }
    if (subsample === 1) return;
    const seed = mix32(mix32(this.seed, bagSeed), this.round);
    const bag = this.every.filter((row) => mix32(seed, row) < subsample * 2 ** 32);
    this.used = bag.length || this.rows;
    new Uint32Array(memory.buffer, this.at.order, this.used).set(bag.length ? bag : this.every);
    this.header.set({ bagged: 1, used: this.used });
  }

  /** A power of two by which no residual passes 2^30. */
  private residualUnit(largest: number): number {
    return 2 ** (Math.ceil(Math.log2(Math.max(largest, 2 ** -60))) - 30);
  }

  /** What a quantile's leaf adds: that quantile of its rows' residuals. */
  private quantileStep(index: number, share: number): number {
    const { buffer } = this.growth.shared.memory;
    const [low, high] = new Uint32Array(buffer, this.at.leaves + index * leafBytes + leafLowAt, 2) as unknown as [number, number];
    const scores = new Float64Array(buffer, this.at.scores, this.rows);
    const rows = new Uint32Array(buffer, this.at.order + low * 4, high - low);
    return quantileOf(Float64Array.from(rows, (row) => this.objective.target[row]! - scores[row]! * scoreUnit).sort(), share);
  }

  private read(): BoostedTree {
    const { buffer } = this.growth.shared.memory;
    const leafCount = Math.min(this.params.maxLeaves, this.rows);
    const nodes = new Uint32Array(buffer, this.at.nodes, leafCount * 2 * 4);
    const leaves = new Float64Array(buffer, this.at.leaves, (leafCount * leafBytes) / 8);
    const tree: BoostedTree = { splits: [], missingLeft: [], leaves: [] };
    const open = [0];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const [feature, bin, missingLeft, child] = nodes.subarray(node * 4, node * 4 + 4) as unknown as [number, number, number, number];
      tree.splits.push(feature === leaf ? leaf : feature * 256 + bin);
      tree.missingLeft.push(feature === leaf ? 0 : missingLeft);
      if (feature === leaf) tree.leaves.push(leaves[(child * leafBytes + leafValueAt) / 8]!);
      else open.push(child + 1, child);
    }
    return tree;
  }
}
