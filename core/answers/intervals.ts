/**
 * Conformal prediction intervals: from a value by what true values were below and above it out of fold (the split conformal method, Papadopoulos
 * et al. 2002, on the residuals of cross-validation), apart for ranges of the value where that makes intervals better (Mondrian regression,
 * Boström and Johansson 2020): amounts, say, that are the less certain the larger they are.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { mix32 } from '../random.ts';

/** Of values > edges[i - 1] and ≤ edges[i] the interval is [value + low[i], value + high[i]]; all are float32. */
export interface Intervals {
  edges: number[];
  low: number[];
  high: number[];
}

const int64 = 7;
/** Numbers of ranges that are tried, and the rows that one must have. */
const rangeCounts = [1, 2, 4, 8, 16];
const leastRows = 60;
const halvesSeed = 0x1a7e;

/**
 * The number of ranges with the best interval score (Gneiting and Raftery 2007: width, and 2 / (1 − coverage) times what is missed), by
 * one half of the rows on the other; the fewest whose score is no worse than by a hundredth.
 * @param values out-of-fold; `truth` [rows]
 */
export function fitIntervals(values: Float32Array, truth: Float64Array, coverage: number): Intervals {
  const rows = Array.from(values.keys());
  const halves = [0, 1].map((half) => rows.filter((row) => mix32(halvesSeed, row) % 2 === half));
  const counts = rangeCounts.filter((count) => count === 1 || halves.every((half) => half.length >= count * leastRows));
  const scores = counts.map((count) => {
    const scoreOf = (fitted: number[], asked: number[]) =>
      intervalScore(fitRanges(values, truth, fitted, coverage, count), values, truth, asked, coverage);
    return scoreOf(halves[0]!, halves[1]!) + scoreOf(halves[1]!, halves[0]!);
  });
  const best = Math.min(...scores);
  const chosen = counts[scores.findIndex((score) => score <= best * 1.01)] ?? 1;
  return fitRanges(values, truth, rows, coverage, chosen);
}

function fitRanges(values: Float32Array, truth: Float64Array, rows: readonly number[], coverage: number, count: number): Intervals {
  const sorted = Float32Array.from(rows, (row) => values[row]!).sort();
  const cuts = Array.from({ length: count - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / count)]!);
  const edges = [...new Set(cuts)].filter((edge) => edge < sorted.at(-1)!);
  const residuals = Array.from({ length: edges.length + 1 }, () => [] as number[]);
  for (const row of rows) residuals[rangeOf(values[row]!, edges)]!.push(truth[row]! - values[row]!);
  const bounds = residuals.map((own) => boundsOf(own, coverage));
  return { edges, low: bounds.map(([low]) => low), high: bounds.map(([, high]) => high) };
}

/** The pair of order statistics, as even in the tails as can be, between which a further residual lies as often as asked. */
function boundsOf(residuals: number[], coverage: number): [number, number] {
  const sorted = Float64Array.from(residuals).sort();
  const count = sorted.length;
  const between = Math.round((count + 1) * coverage);
  const low = Math.floor((count + 1 - between) / 2);
  const at = (rank: number) => Math.fround(rank < 1 ? sorted[0]! : rank > count ? sorted[count - 1]! : sorted[rank - 1]!);
  // An interval has its own value, though outliers may draw most values to one side of the truth.
  return [Math.min(0, at(low)), Math.max(0, at(low + between))];
}

function rangeOf(value: number, edges: readonly number[]): number {
  let range = 0;
  for (const edge of edges) if (value > edge) range++;
  return range;
}

function intervalScore(intervals: Intervals, values: Float32Array, truth: Float64Array, rows: readonly number[], coverage: number): number {
  const { edges, low, high } = intervals;
  return rows.reduce((sum, row) => {
    const range = rangeOf(values[row]!, edges);
    const residual = truth[row]! - values[row]!;
    const missed = Math.max(0, low[range]! - residual, residual - high[range]!);
    return sum + high[range]! - low[range]! + (2 / (1 - coverage)) * missed;
  }, 0);
}

/** @returns float32 [rows × 2]: from, to; to the bit those of the graph */
export function intervalsOf({ edges, low, high }: Intervals, values: Float32Array): Float32Array {
  const bounds = new Float32Array(values.length * 2);
  values.forEach((value, row) => {
    const range = rangeOf(value, edges);
    bounds[row * 2] = value + low[range]!;
    bounds[row * 2 + 1] = value + high[range]!;
  });
  return bounds;
}

/**
 *   value [N, 1] ─ Greater edges ─ Cast ─ ReduceSum ─ Gather [low, high] ─ Add value
 *
 * @returns name of the float32 [N, 2] tensor
 */
export function intervalsToOnnx({ edges, low, high }: Intervals, graph: GraphBuilder, value: string): string {
  const table = graph.floats(
    low.flatMap((from, i) => [from, high[i]!]),
    [low.length, 2],
  );
  if (edges.length === 0) return graph.node('Add', [value, table]);
  const above = graph.node('Cast', [graph.node('Greater', [value, graph.floats(edges)])], { to: { int: int64 } });
  const range = graph.node('ReduceSum', [above, graph.int64s([1])], { keepdims: { int: 0 } });
  return graph.node('Add', [value, graph.node('Gather', [table, range], { axis: { int: 0 } })]);
}
