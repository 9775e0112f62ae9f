/**
 * The weighted mean of several models' answers, to the same bits whatever the order in which a runtime adds: an answer becomes an integer of
 * at most 2^34, a weight is an integer, and as the weights add up to less than 2^18 every partial sum is exact in float64.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

const [float32, float64] = [1, 11];
const answerBits = 34;
/** What the weights may add up to at most. */
export const mostWeight = 2 ** 18;
/** A value is clipped at 16 to 32 times the largest one of the train rows. */
const headroom = 4;

export const probabilityBound = 1;

/** The power of two at which values are clipped. @param most the largest absolute value among the train rows */
export function boundOf(most: number): number {
  return 2 ** Math.min(127, (most > 0 ? Math.ceil(Math.log2(most)) : 0) + headroom);
}

/**
 * @param answers of each model, of one length
 * @param weights integers, one a model
 */
export function mix(answers: readonly Float32Array[], weights: readonly number[], bound: number): Float32Array {
  const unit = bound * 2 ** -answerBits;
  const sums = new Float64Array(answers[0]!.length);
  answers.forEach((values, model) => {
    const weight = weights[model]!;
    for (let i = 0; i < sums.length; i++) {
      // Not Math.round's ties, nor a zero with a sign: what Floor gives is the same everywhere.
      sums[i]! += weight * Math.floor(Math.min(Math.max(values[i]!, -bound), bound) / unit + 0.5);
    }
  });
  const total = weights.reduce((a, b) => a + b, 0);
  return Float32Array.from(sums, (sum) => (sum * unit) / total);
}

/**
 *   answers ─ Concat ─ Max ─ Min ─ Cast float64 ─ Div ─ Add ½ ─ Floor ─ Reshape [N, models, width] ─ Mul weights ─ ReduceSum ─ Mul ─ Div ─ Cast
 *
 * @param answers names of float32 tensors that, side by side, are [N, models × width], the models in the order of the weights
 * @returns name of a float32 [N, width] tensor
 */
export function mixToOnnx(graph: GraphBuilder, answers: string[], width: number, weights: readonly number[], bound: number): string {
  const models = weights.length;
  const unit = bound * 2 ** -answerBits;
  const all = answers.length === 1 ? answers[0]! : graph.node('Concat', answers, { axis: { int: 1 } });
  const clipped = graph.node('Min', [graph.node('Max', [all, graph.floats([-bound])]), graph.floats([bound])]);
  const wide = graph.node('Cast', [clipped], { to: { int: float64 } });
  const units = graph.node('Floor', [graph.node('Add', [graph.node('Div', [wide, graph.doubles([unit])]), graph.doubles([0.5])])]);
  const apart = graph.node('Reshape', [units, graph.int64s([-1, models, width])]);
  const weighted = graph.node('Mul', [apart, graph.doubles(weights, [1, models, 1])]);
  const sums = graph.node('ReduceSum', [weighted, graph.int64s([1])], { keepdims: { int: 0 } });
  const total = weights.reduce((a, b) => a + b, 0);
  const mean = graph.node('Div', [graph.node('Mul', [sums, graph.doubles([unit])]), graph.doubles([total])]);
  return graph.node('Cast', [mean], { to: { int: float32 } });
}
