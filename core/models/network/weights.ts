/**
 * All numbers that are learned, their slopes, and Adam's steps (Kingma and Ba 2015) with decoupled decay. Beside them the mean of all steps so far, which
 * weighs late ones more (polynomial decay averaging, Shamir and Zhang 2013).
 */
import type { Random } from '../../random.ts';
import type { Workspace } from './workspace.ts';

/** The mean of t steps is, about, that of the last t / 8. */
const recency = 8;
const [decay1, decay2] = [0.9, 0.99];
/** Of He's bound, that of the first layer: what begins almost flat learns what is smooth first. */
const softly = 0.15;

export interface Layer {
  /** [inputs × outputs] */
  weights: Float32Array;
  bias: Float32Array;
  /** Of normalised outputs; empty without. */
  gain: Float32Array;
}

/** What further steps depend on: numbers, their means and Adam's moments, layer by layer. */
export interface WeightsState {
  layers: Layer[][];
  steps: number;
  powers: [number, number];
}

export class Weights {
  readonly now: Layer[];
  readonly gradient: Layer[];
  readonly mean: Layer[];
  private readonly work: Workspace;
  private readonly first: Layer[];
  private readonly second: Layer[];
  private steps = 0;
  private powers: [number, number] = [1, 1];

  /** @param sizes units from the inputs to the scores, padded */
  constructor(work: Workspace, sizes: number[], normalised: boolean) {
    this.work = work;
    const layers = () =>
      sizes.slice(1).map((outputs, i) => ({
        weights: work.floats(sizes[i]! * outputs),
        bias: work.floats(outputs),
        gain: work.floats(normalised ? outputs : 0),
      }));
    [this.now, this.gradient, this.mean, this.first, this.second] = [layers(), layers(), layers(), layers(), layers()];
  }

  /**
   * He's uniform weights (2015); none from the last hidden layer to the scores.
   * @param variance of all inputs together @param start where the scores begin
   */
  begin(random: Random, variance: number, start: number[]): void {
    this.now.forEach(({ weights, bias, gain }, l) => {
      const isLast = l === this.now.length - 1;
      const inputs = l === 0 ? Math.max(1e-6, variance) : weights.length / bias.length;
      const bound = isLast ? 0 : (l === 0 ? softly : 1) * Math.sqrt(6 / inputs);
      for (let i = 0; i < weights.length; i++) weights[i] = bound * (2 * random.uniform() - 1);
      if (isLast) bias.set(start);
      gain.fill(1);
      const mean = this.mean[l]!;
      mean.weights.set(weights);
      mean.bias.set(bias);
      mean.gain.set(gain);
    });
  }

  state(): WeightsState {
    const { steps, powers } = this;
    return { layers: this.lasting.map((layers) => layers.map(copied)), steps, powers };
  }

  /** Goes to a state of the same network. */
  restore({ layers, steps, powers }: WeightsState): void {
    Object.assign(this, { steps, powers });
    this.lasting.forEach((own, i) => {
      own.forEach(({ weights, bias, gain }, l) => {
        const kept = layers[i]![l]!;
        weights.set(kept.weights);
        bias.set(kept.bias);
        gain.set(kept.gain);
      });
    });
  }

  /** The gradient is made anew in each step. */
  private get lasting(): Layer[][] {
    return [this.now, this.mean, this.first, this.second];
  }

  /** What the next step counts for in the mean. */
  get share(): number {
    return (recency + 1) / (recency + this.steps + 1);
  }

  /** A step against the slopes. */
  step(rate: number, weightDecay: number): void {
    const { share } = this;
    this.steps++;
    this.powers = [this.powers[0] * decay1, this.powers[1] * decay2];
    const correction = 1 / Math.sqrt(1 - this.powers[1]);
    this.now.forEach((layer, l) => {
      for (const part of ['weights', 'bias', 'gain'] as const) {
        const [at, gradient, first, second, mean] = [layer, this.gradient[l]!, this.first[l]!, this.second[l]!, this.mean[l]!].map(
          (of) => of[part].byteOffset,
        ) as [number, number, number, number, number];
        const kept = part === 'weights' ? 1 - rate * weightDecay : 1;
        const bytes = layer[part].byteLength;
        this.work.loops.adam(at, gradient, first, second, mean, bytes, rate / (1 - this.powers[0]), correction, kept, share);
      }
    });
  }
}

const copied = ({ weights, bias, gain }: Layer): Layer => ({ weights: weights.slice(), bias: bias.slice(), gain: gain.slice() });
