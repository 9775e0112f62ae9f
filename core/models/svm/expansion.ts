/**
 * Sums of kernels around support vectors, exact to the bit: distances are integers (fixed-points.ts), kernels are rounded to 24 bits, and a
 * coefficient is the sum of a high and a low part, as a weight of core/models/exact/affine. Support vectors lie in blocks, one a
 * class, each with a coefficient for every class that it is told from: what a pair of classes needs is in two blocks.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven, splitWeights } from '../exact/affine.ts';
import { exponential, exponentialToOnnx } from '../exact/softmax.ts';
import { pairsOf } from './coupling.ts';
import { type FixedPoints, type Points, pointsToOnnx, squaredDistances } from './fixed-points.ts';

const kernelBits = 24;

export interface Expansion {
  fixed: FixedPoints;
  /** The kernel is exp(−rate · distance²), in units² of the fixed points. */
  rate: number;
  /** Coefficients of a support vector. */
  outputs: number;
  /** Support vectors of each block, and their points [vectors × used columns], block after block. */
  counts: number[];
  points: number[];
  /** [vectors × outputs]; in units of the rounded kernel. */
  high: number[];
  low: number[];
  /** Of the one value, or of each pair of classes. */
  intercepts: number[];
}

/** @param coefficients [vectors × outputs] */
export function fixExpansion(parts: Omit<Expansion, 'high' | 'low'>, coefficients: ArrayLike<number>): Expansion {
  const perUnit = Float64Array.from(coefficients, (value) => value * 2 ** -kernelBits);
  return { ...parts, ...splitWeights(perUnit, kernelBits, perUnit.length / parts.outputs) };
}

const vectorsOf = ({ counts }: Expansion) => counts.reduce((a, b) => a + b);
export const vectorAt = ({ points, fixed }: Expansion, vector: number): number[] =>
  points.slice(vector * fixed.used.length, (vector + 1) * fixed.used.length);

/** The rounded kernel of a vector and each of the points. */
export function kernelUnits(points: Points, vector: ArrayLike<number>, rate: number, scratch: Float64Array): Int32Array {
  squaredDistances(points, vector, scratch);
  const units = new Int32Array(scratch.length);
  for (let i = 0; i < units.length; i++) units[i] = roundEven(exponential(-rate * scratch[i]!) * 2 ** kernelBits);
  return units;
}

/** Where block i's coefficient for class j lies, among [blocks × outputs]. */
function placesOf({ counts, outputs }: Expansion): [number, number][] {
  if (counts.length === 1) return [];
  return pairsOf(counts.length).map(([i, j]) => [i * outputs + j, j * outputs + i]);
}

/** @param unitsOf kernelUnits of a vector and the rows @returns float64 [rows × 1], or [rows × pairs] where there are blocks of classes */
export function expand(expansion: Expansion, rows: number, unitsOf: (vector: number) => Int32Array): Float64Array {
  const { counts, outputs, high, low, intercepts } = expansion;
  const width = counts.length * outputs;
  const sums = new Float64Array(rows * width);
  const rests = new Float64Array(rows * width);
  let vector = 0;
  counts.forEach((count, block) => {
    for (const end = vector + count; vector < end; vector++) {
      const units = unitsOf(vector);
      for (let k = 0; k < outputs; k++) {
        const [coarse, fine] = [high[vector * outputs + k]!, low[vector * outputs + k]!];
        if (coarse === 0 && fine === 0) continue;
        for (let row = 0, to = block * outputs + k; row < rows; row++, to += width) {
          sums[to]! += units[row]! * coarse;
          rests[to]! += units[row]! * fine;
        }
      }
    }
  });
  const places = placesOf(expansion);
  if (places.length === 0) return sums.map((sum, i) => sum + rests[i]! + intercepts[0]!);
  const answers = new Float64Array(rows * places.length);
  for (let row = 0; row < rows; row++)
    places.forEach(([a, b], pair) => {
      const at = row * width;
      answers[row * places.length + pair] = sums[at + a]! + sums[at + b]! + (rests[at + a]! + rests[at + b]!) + intercepts[pair]!;
    });
  return answers;
}

/**
 *   points ─┬ MatMul [−2 vectors] ─┐
 *           └ squares ─ ReduceSum ─┴ Add ─ Add squares of the vectors ─ Mul −rate ─ exp ─ Round ─ by block: MatMul [high | low]
 *
 * @param input name of the float32 [N, columns] tensor @returns name of the float64 [N, intercepts] tensor
 */
export function expansionToOnnx(expansion: Expansion, graph: GraphBuilder, input: string): string {
  const { fixed, rate, outputs, counts, points, high, low, intercepts } = expansion;
  const [vectors, used] = [vectorsOf(expansion), fixed.used.length];
  const own = pointsToOnnx(fixed, graph, input);
  const turned = Float64Array.from({ length: used * vectors }, (_, i) => -2 * points[(i % vectors) * used + Math.floor(i / vectors)]!);
  const norms = Float64Array.from({ length: vectors }, (_, v) => vectorAt(expansion, v).reduce((sum, value) => sum + value * value, 0));
  const squares = graph.node('ReduceSum', [graph.node('Mul', [own, own]), graph.int64s([1])], { keepdims: { int: 1 } });
  const products = graph.node('MatMul', [own, graph.doubles(turned, [used, vectors])]);
  const distances = graph.node('Add', [graph.node('Add', [products, squares]), graph.doubles(norms)]);
  const powers = exponentialToOnnx(graph, graph.node('Mul', [distances, graph.doubles([-rate])]));
  const kernels = graph.node('Round', [graph.node('Mul', [powers, graph.doubles([2 ** kernelBits])])]);
  let from = 0;
  const blocks = counts.map((count) => {
    const to = from + count;
    const part =
      counts.length === 1 ? kernels : graph.node('Slice', [kernels, graph.int64s([from]), graph.int64s([to]), graph.int64s([1])]);
    const weights = Array.from({ length: count }, (_, v) =>
      [high, low].flatMap((of) => of.slice((from + v) * outputs, (from + v + 1) * outputs)),
    ).flat();
    from = to;
    return graph.node('MatMul', [part, graph.doubles(weights, [count, 2 * outputs])]);
  });
  const sums = blocks.length === 1 ? blocks[0]! : graph.node('Concat', blocks, { axis: { int: 1 } });
  const gather = (places: number[]) => graph.node('Gather', [sums, graph.int64s(places)], { axis: { int: 1 } });
  const places = placesOf(expansion);
  // The high parts of a block lie before its low ones.
  const column = (place: number, part: number) => Math.floor(place / outputs) * 2 * outputs + part * outputs + (place % outputs);
  const total = (part: number) =>
    places.length === 0
      ? gather([part])
      : graph.node('Add', [gather(places.map(([a]) => column(a, part))), gather(places.map(([, b]) => column(b, part)))]);
  return graph.node('Add', [graph.node('Add', [total(0), total(1)]), graph.doubles(intercepts)]);
}
