/**
 * Training: batches and backpropagation in float32, each sum in one order, so that the same rows and seed give the same bits. The network that
 * counts is the mean of all steps so far (weights.ts): each epoch has its own without knowing how many will follow, and one run is every number
 * of epochs.
 */
import { mix32, Random } from '../../random.ts';
import type { Matrix } from '../model.ts';
import { EncodedRows } from './encoded-rows.ts';
import type { FittedEncoding } from './encoding.ts';
import { batchRows, type NetworkParams } from './params.ts';
import type { Task } from './task.ts';
import { Weights, type WeightsState } from './weights.ts';
import { padded, Workspace } from './workspace.ts';

/** How the step falls: to a half when so many epochs are over, to a third after twice as many. */
const halving = 20;
/** Steps at the beginning that are shorter. */
const warming = 50;
/** Is added to a variance. */
const leastVariance = 1e-5;
/** Rows that held-out loss is found for at a time. */
const chunk = 256;
const [weightSeed, orderSeed, dropSeed] = [1, 2, 3];

/** A layer as it answers: activations · weights + bias. Padded to a multiple of eight units and inputs. */
export interface PlainLayer {
  inputs: number;
  outputs: number;
  /** [inputs × outputs] */
  weights: Float32Array;
  bias: Float32Array;
}

/** All that the next step depends on, beside what rows, parameters and seed say. */
export interface TrainingState {
  epochs: number;
  /** Batches of the epoch that are done, and the sum of their losses. */
  at: number;
  loss: number;
  steps: number;
  numbers: WeightsState;
  averages: { mean: Float64Array; variance: Float64Array }[];
  drop: Uint32Array;
}

export class Training {
  readonly batch: number;
  private readonly work = new Workspace();
  private readonly task: Task;
  private readonly params: NetworkParams;
  private readonly rows: Int32Array;
  private readonly held: Int32Array;
  /** Units from the inputs to the scores, padded. */
  private readonly sizes: number[];
  private readonly batchNormal: boolean;
  private readonly numbers: Weights;
  private readonly encoded: EncodedRows;
  /** Of each hidden layer, of the last batch: means, then one over the deviations; and means of means and variances over the steps. */
  private readonly statistics: Float32Array[];
  private readonly averages: { mean: Float64Array; variance: Float64Array }[];
  private readonly which: Uint32Array;
  private readonly truth: Uint32Array;
  private readonly weights: Float32Array;
  private readonly likely: Float32Array;
  /** Of dropout's random numbers. */
  private readonly drop: Uint32Array;
  private readonly zeros: Float32Array;
  private readonly active: Float32Array[];
  private readonly normal: Float32Array[];
  private readonly slopes: Float32Array[];
  private readonly turned: Float32Array;
  private readonly strip: Float32Array;
  private readonly plain: PlainLayer[];
  private readonly order: Int32Array;
  /** The rows of the batch. */
  private readonly current: Int32Array;
  private readonly random: Random;
  private steps = 0;
  private epochs = 0;
  private at = 0;
  private loss = 0;

  /** @param held rows that `heldLoss` is of */
  constructor(x: Matrix, rows: Int32Array, held: Int32Array, encoding: FittedEncoding, task: Task, params: NetworkParams, seed: number) {
    this.task = task;
    this.params = params;
    this.rows = rows;
    this.held = held;
    this.batch = batchRows(params, rows.length);
    this.batchNormal = params.normalisation === 'batch';
    const hidden = Array.from({ length: params.depth }, () => params.width);
    this.sizes = [encoding.column.length, ...hidden, task.outputs].map(padded);
    const { work, sizes } = this;
    this.numbers = new Weights(work, sizes, this.batchNormal);
    this.statistics = hidden.map((width) => work.floats(2 * width));
    this.averages = hidden.map((width) => ({ mean: new Float64Array(width), variance: new Float64Array(width).fill(1) }));
    const most = Math.max(chunk, this.batch);
    this.which = work.uint32s(most);
    this.truth = work.uint32s(most);
    this.weights = work.floats(most);
    this.likely = work.floats(most);
    this.drop = work.uint32s(4);
    this.zeros = work.floats(Math.max(...sizes));
    this.active = sizes.map((size) => work.floats(most * size));
    this.slopes = sizes.map((size) => work.floats(this.batch * size));
    this.normal = hidden.map((width) => work.floats(this.batchNormal ? this.batch * width : 0));
    this.turned = work.floats(Math.max(...sizes.slice(0, -1).map((inputs, l) => inputs * Math.max(this.batch, sizes[l + 1]!))));
    this.strip = work.floats(Math.max(this.batch, ...sizes) * 8);
    this.plain = sizes
      .slice(1)
      .map((outputs, i) => ({ inputs: sizes[i]!, outputs, weights: work.floats(sizes[i]! * outputs), bias: work.floats(outputs) }));
    const places = new Int32Array(rows.length + held.length);
    places.set(rows);
    places.set(held, rows.length);
    this.encoded = new EncodedRows(work, x, places, encoding, sizes[0]!);
    this.order = Int32Array.from(rows.keys());
    this.current = new Int32Array(this.batch);
    this.random = new Random(mix32(seed, orderSeed));
    this.numbers.begin(new Random(mix32(seed, weightSeed)), encoding.variance, task.start);
    for (let lane = 0; lane < 4; lane++) this.drop[lane] = mix32(seed, dropSeed + lane) || 1;
  }

  /** One epoch, step by step, or what is left of it; a generator so that whoever runs it may do other things in between. @returns the mean loss of its batches */
  *epoch(): Generator<() => TrainingState, number> {
    const { order, batch } = this;
    if (this.at === 0) this.random.shuffle(order);
    const count = Math.max(1, Math.floor(order.length / batch));
    const state = () => this.state();
    while (this.at < count) {
      // Fewer rows than a batch are in it more than once.
      for (let i = 0; i < batch; i++) this.which[i] = order[(this.at * batch + i) % order.length]!;
      this.loss += this.step();
      this.at++;
      yield state;
    }
    const mean = this.loss / count;
    this.at = 0;
    this.loss = 0;
    this.epochs++;
    return mean;
  }

  private state(): TrainingState {
    const { epochs, at, loss, steps, numbers, drop } = this;
    const averages = this.averages.map(({ mean, variance }) => ({ mean: mean.slice(), variance: variance.slice() }));
    return { epochs, at, loss, steps, numbers: numbers.state(), averages, drop: drop.slice() };
  }

  /** Before its first step: goes to where another training of the same rows, parameters and seed was. */
  restore({ epochs, at, loss, steps, numbers, averages, drop }: TrainingState): void {
    Object.assign(this, { epochs, at, loss, steps });
    // The order of the rows follows from how often it was changed.
    for (let shuffled = 0; shuffled < epochs + (at > 0 ? 1 : 0); shuffled++) this.random.shuffle(this.order);
    this.numbers.restore(numbers);
    this.averages.forEach((own, l) => {
      own.mean.set(averages[l]!.mean);
      own.variance.set(averages[l]!.variance);
    });
    this.drop.set(drop);
  }

  /** The loss before the first step: that of the shares, or of the mean. */
  startLoss(): number {
    const { start, classes } = this.task;
    if (classes === 0) return 1;
    return this.rows.reduce((sum, row) => sum - this.task.weight(row) * start[this.task.truth(row)]!, 0) / this.rows.length;
  }

  /** The mean of the steps until now (the beginning before the first), with normalisation in the weights. The numbers stay as they are until the next call. */
  layers(): PlainLayer[] {
    this.plain.forEach((layer, l) => {
      const own = this.numbers.mean[l]!;
      layer.weights.set(own.weights);
      layer.bias.set(own.bias);
      const averages = this.averages[l];
      if (!this.batchNormal || !averages) return;
      for (let k = 0; k < layer.outputs; k++) {
        const factor = own.gain[k]! / Math.sqrt(averages.variance[k]! + leastVariance);
        for (let i = 0; i < layer.inputs; i++) layer.weights[i * layer.outputs + k]! *= factor;
        layer.bias[k] = own.bias[k]! - averages.mean[k]! * factor;
      }
    });
    return this.plain;
  }

  /** Goes back to layers as they were. */
  use(layers: PlainLayer[]): void {
    layers.forEach(({ weights, bias }, l) => {
      this.plain[l]!.weights.set(weights);
      this.plain[l]!.bias.set(bias);
    });
  }

  /** Of the network that `layers` or `use` was last called for, on the held rows. */
  heldLoss(): number {
    let loss = 0;
    let weight = 0;
    for (const { from, count, scores } of this.answers(this.rows.length, this.held.length)) {
      const rows = this.held.subarray(from, from + count);
      loss += this.lossOf(rows, scores, count);
      for (const row of rows) weight += this.task.weight(row);
    }
    return loss / weight;
  }

  /** Of each hidden layer, the largest activation that some train rows have. */
  largest(): number[] {
    const most = new Array<number>(this.params.depth).fill(0);
    for (const { count } of this.answers(0, Math.min(this.rows.length, 16 * chunk)))
      most.forEach((value, l) => {
        const active = this.active[l + 1]!.subarray(0, count * this.sizes[l + 1]!);
        most[l] = active.reduce((a, b) => Math.max(a, b), value);
      });
    return most;
  }

  /** Forward through the plain layers, of places in the table. */
  private *answers(start: number, length: number): Generator<{ from: number; count: number; scores: Float32Array }> {
    const { loops } = this.work;
    const strip = this.strip.byteOffset;
    for (let from = 0; from < length; from += chunk) {
      const count = Math.min(chunk, length - from);
      const whole = Math.ceil(count / 4) * 4;
      for (let i = 0; i < whole; i++) this.which[i] = start + from + Math.min(i, count - 1);
      this.encoded.encode(this.which, whole, this.active[0]!);
      this.plain.forEach(({ inputs, outputs, weights, bias }, l) => {
        const [a, into] = [this.active[l]!, this.active[l + 1]!];
        loops.multiply(a.byteOffset, weights.byteOffset, bias.byteOffset, into.byteOffset, whole, inputs, outputs, strip);
        if (l + 1 < this.plain.length) loops.activate(into.byteOffset, into.byteOffset, whole * outputs * 4, 1, 0, 0);
      });
      yield { from, count, scores: this.active.at(-1)! };
    }
  }

  /** Sum of the losses of rows of the table; scores of classes become probabilities. */
  private lossOf(rows: Int32Array, scores: Float32Array, count: number): number {
    const { task, likely } = this;
    const columns = this.sizes.at(-1)!;
    let loss = 0;
    if (task.classes === 0) {
      for (let i = 0; i < count; i++) loss += (scores[i * columns]! - task.truth(rows[i]!)) ** 2;
      return loss;
    }
    for (let i = 0; i < count; i++) this.truth[i] = task.truth(rows[i]!);
    this.work.loops.softmax(scores.byteOffset, count, task.outputs, columns, this.truth.byteOffset, likely.byteOffset);
    for (let i = 0; i < count; i++) loss -= task.weight(rows[i]!) * Math.log(Math.max(likely[i]!, 1e-30));
    return loss;
  }

  private step(): number {
    const { batch, sizes, params } = this;
    const { loops } = this.work;
    const strip = this.strip.byteOffset;
    const last = sizes.length - 2;
    const scale = 1 / (1 - params.dropout);
    const dropped = Math.round(params.dropout * 2 ** 32);
    this.steps++;
    const { share } = this.numbers;
    this.encoded.encode(this.which, batch, this.active[0]!);
    this.numbers.now.forEach(({ weights, bias, gain }, l) => {
      const [a, into, inputs, outputs] = [this.active[l]!, this.active[l + 1]!, sizes[l]!, sizes[l + 1]!];
      const normal = l < last && this.batchNormal;
      const [start, to] = normal ? [this.zeros, this.normal[l]!] : [bias, into];
      loops.multiply(a.byteOffset, weights.byteOffset, start.byteOffset, to.byteOffset, batch, inputs, outputs, strip);
      if (l === last) return;
      if (normal) {
        const statistics = this.statistics[l]!;
        const [g, b] = [gain.byteOffset, bias.byteOffset];
        loops.normalise(to.byteOffset, batch, outputs, g, b, into.byteOffset, statistics.byteOffset, leastVariance);
        average(this.averages[l]!, statistics, share);
      }
      loops.activate(into.byteOffset, into.byteOffset, batch * outputs * 4, scale, dropped, this.drop.byteOffset);
    });
    const scores = this.active.at(-1)!;
    const rows = this.current;
    for (let i = 0; i < batch; i++) rows[i] = this.rows[this.which[i]!]!;
    const loss = this.lossOf(rows, scores, batch) / batch;
    this.scoresToSlopes(rows, scores);
    let slopes = scores;
    for (let l = last; l >= 0; l--) {
      const [a, inputs, outputs] = [this.active[l]!, sizes[l]!, sizes[l + 1]!];
      const own = this.numbers.gradient[l]!;
      if (l < last) {
        loops.deactivate(this.active[l + 1]!.byteOffset, slopes.byteOffset, batch * outputs * 4, scale);
        if (this.batchNormal) {
          const per = this.statistics[l]!.byteOffset + outputs * 4;
          const [normal, gain] = [this.normal[l]!.byteOffset, this.numbers.now[l]!.gain.byteOffset];
          loops.denormalise(normal, slopes.byteOffset, batch, outputs, gain, per, own.gain.byteOffset, own.bias.byteOffset);
        }
      }
      if (l === last || !this.batchNormal) loops.sumRows(slopes.byteOffset, batch, outputs, own.bias.byteOffset);
      const [turned, zeros] = [this.turned.byteOffset, this.zeros.byteOffset];
      loops.transpose(a.byteOffset, turned, batch, inputs);
      loops.multiply(turned, slopes.byteOffset, zeros, own.weights.byteOffset, inputs, batch, outputs, strip);
      if (l === 0) break;
      const before = this.slopes[l]!;
      loops.transpose(this.numbers.now[l]!.weights.byteOffset, turned, inputs, outputs);
      loops.multiply(slopes.byteOffset, turned, zeros, before.byteOffset, batch, outputs, inputs, strip);
      slopes = before;
    }
    const rate = (params.learningRate * Math.min(1, this.steps / warming)) / (1 + this.epochs / halving);
    this.numbers.step(rate, params.weightDecay);
    return loss;
  }

  /** In place: the loss's gradient, of its mean over the batch. */
  private scoresToSlopes(rows: Int32Array, scores: Float32Array): void {
    const { batch, task, params } = this;
    const columns = this.sizes.at(-1)!;
    if (task.classes === 0) {
      for (let i = 0; i < batch; i++) scores[i * columns] = (2 * (scores[i * columns]! - task.truth(rows[i]!))) / batch;
      return;
    }
    for (let i = 0; i < batch; i++) this.weights[i] = task.weight(rows[i]!) / batch;
    const [truth, weights] = [this.truth.byteOffset, this.weights.byteOffset];
    this.work.loops.crossEntropy(scores.byteOffset, batch, task.outputs, columns, truth, weights, params.labelSmoothing);
  }
}

/** @param statistics means, then one over each deviation */
function average({ mean, variance }: { mean: Float64Array; variance: Float64Array }, statistics: Float32Array, share: number): void {
  const width = mean.length;
  for (let k = 0; k < width; k++) {
    mean[k]! += (statistics[k]! - mean[k]!) * share;
    variance[k]! += (1 / statistics[width + k]! ** 2 - leastVariance - variance[k]!) * share;
  }
}
