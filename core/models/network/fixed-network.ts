/**
 * A trained network in whole numbers, so that any runtime gets the same bits: inputs are integers of 16 bits, weights of at most 23,
 * activations of 21, each layer's products and their sums are below 2^53, which float64 holds exactly in any order, and what is between layers
 * is scaled by powers of two. That is as fine as float32, which it was trained in.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven } from '../exact/affine.ts';
import type { Matrix } from '../model.ts';
import { type Encoding, encodeRows, encodingToOnnx, type FittedEncoding, inputBits } from './encoding.ts';
import type { PlainLayer } from './training.ts';
import { Workspace } from './workspace.ts';

const float64 = 11;
/** Float32 holds 24 bits; the graph keeps weights in it. */
const weightBits = 23;
const activationBits = 21;
const sumBits = 52;
/** An activation is clipped at 4 to 8 times the largest of the train rows. */
const headroom = 2;
/** Rows that are answered at a time. */
const chunk = 256;

export interface FixedLayer {
  inputs: number;
  outputs: number;
  /** Whole numbers, [inputs × outputs]. */
  weights: Float32Array;
  /** Whole numbers, in units of the products. */
  bias: Float64Array;
  /** To the next layer's units (a power of two); of the last layer, to the scores. */
  scale: number;
}

export interface FixedNetwork {
  encoding: Encoding;
  layers: FixedLayer[];
}

/**
 * @param layers as trained, on encoded inputs with their gains and shifts
 * @param largest of each hidden layer, the largest activation of train rows
 * @param outputs scores, without what pads them
 */
export function fixNetwork(fitted: FittedEncoding, layers: PlainLayer[], largest: number[], outputs: number): FixedNetwork {
  const { gain, shift, ...rest } = fitted;
  const encoding: Encoding = { columns: rest.columns, column: rest.column, low: rest.low, perUnit: rest.perUnit };
  let unit = 2 ** -inputBits;
  let bits = inputBits;
  const fixed = layers.map((layer, l): FixedLayer => {
    const isFirst = l === 0;
    const isLast = l === layers.length - 1;
    const inputs = isFirst ? gain.length : layer.inputs;
    const width = isLast ? outputs : layer.outputs;
    const real = new Float64Array(inputs * width);
    const bias = Float64Array.from(layer.bias.subarray(0, width));
    for (let i = 0; i < inputs; i++)
      for (let k = 0; k < width; k++) {
        const weight = layer.weights[i * layer.outputs + k]!;
        real[i * width + k] = isFirst ? weight * gain[i]! : weight;
        if (isFirst) bias[k]! -= weight * shift[i]!;
      }
    const most = real.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const own = Math.min(weightBits, sumBits - bits - Math.ceil(Math.log2(inputs + 1)));
    const weightUnit = 2 ** (exponentOf(most) - own);
    const product = unit * weightUnit;
    const next = isLast ? 1 : 2 ** (exponentOf(largest[l]!) + headroom - activationBits);
    const bound = 2 ** sumBits;
    const result = {
      inputs,
      outputs: width,
      weights: Float32Array.from(real, (weight) => roundEven(weight / weightUnit)),
      bias: bias.map((value) => Math.max(-bound, Math.min(bound, Math.round(value / product)))),
      scale: product / next,
    };
    unit = next;
    bits = activationBits;
    return result;
  });
  return { encoding, layers: fixed };
}

/** @returns float64 [rows × outputs] */
export function scoresOf({ encoding, layers }: FixedNetwork, x: Matrix): Float64Array {
  if (x.columns !== encoding.columns) throw new RangeError(`the model was fitted on ${encoding.columns} features, not ${x.columns}`);
  const work = new Workspace();
  const most = 2 ** activationBits;
  const loaded = layers.map(({ inputs, outputs, weights, bias }) => {
    const stride = Math.ceil(outputs / 4) * 4;
    const own = { weights: work.doubles(inputs * stride), bias: work.doubles(stride), into: work.doubles(chunk * stride), stride };
    for (let i = 0; i < inputs; i++) own.weights.set(weights.subarray(i * outputs, (i + 1) * outputs), i * stride);
    own.bias.set(bias);
    return own;
  });
  // A layer's units beyond the true ones are 0, and so their number is no matter but to the strides.
  const first = work.doubles(chunk * layers[0]!.inputs);
  const strip = work.doubles(Math.max(...layers.map(({ inputs }) => inputs)) * 4).byteOffset;
  const { outputs, scale } = layers.at(-1)!;
  const scores = new Float64Array(x.rows * outputs);
  for (let from = 0; from < x.rows; from += chunk) {
    const rows = Math.min(chunk, x.rows - from);
    encodeRows(encoding, x, from, rows, first, layers[0]!.inputs);
    let a = first;
    loaded.forEach(({ weights, bias, into, stride }, l) => {
      const { inputs, scale: by } = layers[l]!;
      const whole = Math.ceil(rows / 4) * 4;
      work.loops.multiplyDoubles(a.byteOffset, weights.byteOffset, bias.byteOffset, into.byteOffset, whole, inputs, stride, strip);
      a = into;
      if (l === layers.length - 1) return;
      for (let i = 0; i < rows * stride; i++) into[i] = roundEven(Math.min(Math.max(into[i]! * by, 0), most));
    });
    const { stride } = loaded.at(-1)!;
    for (let row = 0; row < rows; row++)
      for (let k = 0; k < outputs; k++) scores[(from + row) * outputs + k] = a[row * stride + k]! * scale;
  }
  return scores;
}

/**
 *   x ─ encoding ─ MatMul weights ─ Add bias ─ Mul scale ─ Max 0 ─ Min 2^21 ─ Round ─ … ─ MatMul ─ Add ─ Mul scale
 *
 * @param input name of the float32 [N, columns] tensor @returns name of the float64 [N, outputs] tensor of scores
 */
export function networkToOnnx({ encoding, layers }: FixedNetwork, graph: GraphBuilder, input: string): string {
  return layers.reduce(
    (a, { inputs, outputs, weights, bias, scale }, l) => {
      const wide = graph.node('Cast', [graph.floats(weights, [inputs, outputs])], { to: { int: float64 } });
      const sums = graph.node('Add', [graph.node('MatMul', [a, wide]), graph.doubles(bias)]);
      const scaled = graph.node('Mul', [sums, graph.doubles([scale])]);
      if (l === layers.length - 1) return scaled;
      const active = graph.node('Min', [graph.node('Max', [scaled, graph.doubles([0])]), graph.doubles([2 ** activationBits])]);
      return graph.node('Round', [active]);
    },
    encodingToOnnx(encoding, graph, input),
  );
}

/** The least exponent of two that is no less than a value; that of 1 for 0. */
function exponentOf(value: number): number {
  return value > 0 ? Math.ceil(Math.log2(value)) : 0;
}
