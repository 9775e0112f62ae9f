/** Deep networks for tables: perceptrons on piecewise linear encodings of the columns. */
import { Latest } from '../checkpoint.ts';
import { type Shares, shareRows } from '../early-stopping.ts';
import { inSteps } from '../in-steps.ts';
import type { Family, FitContext, Matrix, Params, Target } from '../model.ts';
import { parseParams } from '../params.ts';
import { takeMatrix } from '../take-matrix.ts';
import { type FittedEncoding, fitEncoding } from './encoding.ts';
import { fixNetwork } from './fixed-network.ts';
import { NetworkModel, type Reading } from './network-model.ts';
import { compareCost, type NetworkParams, networkConstraints, resolve } from './params.ts';
import { networkPortfolio } from './portfolio.ts';
import { type Task, taskOf } from './task.ts';
import { type PlainLayer, Training, type TrainingState } from './training.ts';

export const network: Family = {
  name: 'network',
  grid: { epochs: [10, 20, 40, 80], width: [32, 128], dropout: [0, 0.2] },
  portfolio: networkPortfolio,
  parse: (params) => parseParams('network', networkConstraints, params),
  compareCost,
  deserialize: NetworkModel.deserialize,

  async fit(x, y, params, context) {
    const complete = network.parse(params);
    const rows = Int32Array.from({ length: x.rows }, (_, row) => row);
    const run = new Run(x, y, shareRows(rows, resolve(complete), context.seed), complete, context);
    for await (const _ of run.epochs(resolve(complete).epochs));
    return run.model(complete);
  },

  /** The other rows say when to stop: one run is every number of epochs. */
  async fitFold(x, y, rows, validRows, params, context) {
    const complete = network.parse({ ...params, earlyStopping: true });
    const run = new Run(x, y, { train: rows, stopping: validRows }, complete, context);
    for await (const _ of run.epochs(resolve(complete).epochs));
    const model = run.model({ ...network.parse(params), epochs: run.best });
    return { model, predictions: await model.predict(takeMatrix(x, validRows)), steps: run.best };
  },

  /** Candidates that differ only in the number of epochs share one run. */
  async *predictGrid(x, y, rows, validRows, candidates, context) {
    const parsed = candidates.map((params) => network.parse(params));
    const groups = Map.groupBy(parsed.keys(), (index) => JSON.stringify({ ...parsed[index]!, epochs: 0 }));
    const valid = takeMatrix(x, validRows);
    let finished = 0;
    for (const members of groups.values()) {
      const params = resolve(parsed[members[0]!]!);
      const most = Math.max(...members.map((index) => resolve(parsed[index]!).epochs));
      const onProgress = (done: number) => context.onProgress?.((finished + done) / groups.size);
      const own = { ...context, onProgress, checkpoint: undefined };
      const run = new Run(x, y, shareRows(rows, params, context.seed), parsed[members[0]!]!, own);
      const left = new Set(members);
      const ready = async function* (isOver: (epochs: number) => boolean) {
        for (const candidate of [...left].filter((index) => isOver(resolve(parsed[index]!).epochs))) {
          left.delete(candidate);
          yield { candidate, predictions: await run.model(parsed[candidate]!).predict(valid) };
        }
      };
      for await (const epoch of run.epochs(most)) yield* ready((epochs) => epochs === epoch);
      yield* ready(() => true);
      finished++;
    }
  },
};

/** Where a run is in the middle of an epoch, and what it has come to before. */
interface RunState {
  training: TrainingState;
  best: number;
  least: number;
  curve: number[];
  kept: PlainLayer[] | undefined;
}

/** One training, epoch by epoch, and the model that it has come to. */
class Run {
  /** The epoch that is kept: the last one, but for early stopping. */
  best = 0;
  private readonly encoding: FittedEncoding;
  private readonly task: Task;
  private readonly training: Training | undefined;
  private readonly params: NetworkParams;
  private readonly stops: boolean;
  private readonly context: FitContext;
  /** All that the training follows from, beside the rows themselves. */
  private readonly of: unknown;
  private curve: number[] = [];
  private least = Number.POSITIVE_INFINITY;
  private kept: PlainLayer[] | undefined;

  constructor(x: Matrix, y: Target, { train, stopping }: Shares, params: Params, context: FitContext) {
    this.params = resolve(params);
    this.context = context;
    this.stops = stopping.length > 0;
    this.of = [{ ...this.params, epochs: 0 }, context.seed, train.length, stopping.length, x.columns];
    this.task = taskOf(y, train, this.params);
    this.encoding = fitEncoding(x, train, this.params.bins);
    const isConstant = this.task.classes === 0 ? this.task.spread === 0 : this.task.outputs === 1;
    if (isConstant || this.encoding.column.length === 0) return;
    this.training = new Training(x, train, stopping, this.encoding, this.task, this.params, context.seed);
    this.curve.push(this.training.startLoss());
  }

  /** Yields the number of each epoch that is over. */
  async *epochs(most: number): AsyncGenerator<number> {
    const { training, context } = this;
    if (!training) {
      this.best = 1;
      return;
    }
    const latest = await Latest.open<RunState>(context.checkpoint, this.of);
    const stops = () => context.isOver?.() ?? false;
    try {
      for (let epoch = this.begin(training, latest.state, most); epoch <= most; epoch++) {
        const onTurn = () => {
          context.onProgress?.((epoch - 1) / most);
          return stops();
        };
        const loss = await inSteps(training.epoch(), (state) => latest.keep(() => this.state(state())), onTurn);
        if (loss !== undefined) this.curve.push(loss);
        this.judge(training, epoch);
        yield epoch;
        context.onProgress?.(epoch / most);
        if (stops() || (this.stops && epoch - this.best >= this.params.nIterNoChange)) return;
      }
    } finally {
      latest.close();
    }
  }

  /** @param before where a former attempt was, which may have been on its way to more epochs @returns the epoch that is next, or goes on */
  private begin(training: Training, before: RunState | undefined, most: number): number {
    if (!before || before.training.epochs >= most) return 1;
    const { training: state, ...own } = before;
    training.restore(state);
    Object.assign(this, own);
    return state.epochs + 1;
  }

  private state(training: TrainingState): RunState {
    const { best, least, curve, kept } = this;
    return { training, best, least, curve, kept };
  }

  /** Keeps the network as it is after an epoch, where that is the best one, or the last. */
  private judge(training: Training, epoch: number): void {
    const layers = training.layers();
    const loss = this.stops ? training.heldLoss() : Number.NEGATIVE_INFINITY;
    if (!(loss < this.least) && this.stops && this.kept) return;
    this.least = loss;
    this.best = epoch;
    this.kept = layers.map((layer) => ({ ...layer, weights: layer.weights.slice(), bias: layer.bias.slice() }));
  }

  model(params: Params): NetworkModel {
    const { classes, present, start, centre, spread, least, most } = this.task;
    const reading: Reading = { classes, present, centre, spread, least, most };
    if (!this.training || !this.kept) return new NetworkModel(params, reading, constant(this.encoding.columns, start), this.curve);
    this.training.use(this.kept);
    const fixed = fixNetwork(this.encoding, this.kept, this.training.largest(), this.task.outputs);
    return new NetworkModel(params, reading, fixed, this.curve.slice(0, this.best + 1));
  }
}

/** A network that answers the same whatever it is asked. */
function constant(columns: number, scores: number[]) {
  const weights = new Float32Array(8 * scores.length);
  const bias = new Float32Array(scores);
  const encoding = { columns, column: [0], low: [0], perUnit: [1], gain: [1], shift: [0], variance: 0 };
  return fixNetwork(encoding, [{ inputs: 8, outputs: scores.length, weights, bias }], [], scores.length);
}
