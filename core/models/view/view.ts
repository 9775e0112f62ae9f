/**
 * How a family sees the features of a table: some of them as they are or filled and clipped, and categories as numbers, by a table for each.
 *
 *   features [N, F] ─┬─ Gather those taken ─ impute ─ clip ────────────────────┬─ Concat ─ the family's features [N, V]
 *                    └─ Gather codes ─ Gather the numbers of each code [N, C·T] ┘
 */
import { clipped, clipToOnnx } from '../../features/clip.ts';
import { imputeToOnnx } from '../../features/impute.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { columnOf, LazyMatrix } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';

/** Codes begin here: otherCode of features/one-hot.ts. */
export const firstCode = -2;

/** Plain data, which survives JSON. */
export interface View {
  /** Features of the matrix. */
  features: number;
  /** Those that are taken, ascending. */
  takes: number[];
  /** Of each of those, where gaps and outliers are not wanted. */
  limits?: { impute: number[]; low: number[]; high: number[] };
  /** Features with codes, and of each code from firstCode on the numbers that it becomes, as many for all: [codes × numbers]. */
  ordered: { code: number; numbers: number[][] }[];
}

/** Of each of the family's features, the feature of the matrix that it is made of. */
export function sourcesOf({ takes, ordered }: View): number[] {
  return [...takes, ...ordered.flatMap(({ code, numbers }) => numbers[0]!.map(() => code))];
}

/** The features as the family sees them; columns that stay as they are are not copied where all are taken. */
export function applyView(view: View, x: Matrix): Matrix {
  const { features, takes, limits, ordered } = view;
  if (x.columns !== features) throw new RangeError(`the model was fitted on ${features} features, not ${x.columns}`);
  const { rows } = x;
  const sources = sourcesOf(view);
  const names = sources.map((feature) => x.names[feature]!);
  const width = ordered[0]?.numbers[0]?.length ?? 1;
  const make = (place: number, into: Float32Array): Float32Array => {
    const values = columnOf(x, sources[place]!);
    if (place < takes.length) {
      into.set(values);
      if (!limits) return into;
      const bounds = { low: limits.low[place]!, high: limits.high[place]! };
      const filling = limits.impute[place]!;
      for (let row = 0; row < rows; row++) into[row] = clipped(Number.isNaN(into[row]) ? filling : into[row]!, bounds);
      return into;
    }
    const at = place - takes.length;
    const ofCode = ordered[Math.floor(at / width)]!.numbers.map((each) => each[at % width]!);
    for (let row = 0; row < rows; row++) into[row] = ofCode[values[row]! - firstCode]!;
    return into;
  };
  if (x.column) return new LazyMatrix({ rows, names }, (place) => make(place, new Float32Array(rows)));
  const { traits: _, ...plain } = x;
  if (sources.length === features && !changes(view, x)) return plain;
  const data = new Float32Array(rows * sources.length);
  for (let place = 0; place < sources.length; place++) make(place, data.subarray(place * rows, (place + 1) * rows));
  return { rows, columns: sources.length, names, data };
}

function changes({ takes, limits, ordered }: View, x: Matrix): boolean {
  if (ordered.length > 0) return true;
  if (!limits) return false;
  return takes.some((feature, place) => {
    const [low, high] = [limits.low[place]!, limits.high[place]!];
    for (let at = feature * x.rows; at < (feature + 1) * x.rows; at++) {
      const value = x.data[at]!;
      if (!(value >= low && value <= high)) return true;
    }
    return false;
  });
}

/** @param input float32 [N, features] @returns float32 [N, sourcesOf(view).length] */
export function viewToOnnx({ features, takes, limits, ordered }: View, graph: GraphBuilder, input: string): string {
  let taken = takes.length === features ? input : graph.node('Gather', [input, graph.int64s(takes)], { axis: { int: 1 } });
  if (limits && takes.length > 0) {
    const bounds = limits.low.map((low, place) => ({ low, high: limits.high[place]! }));
    taken = clipToOnnx(graph, imputeToOnnx(graph, taken, limits.impute), bounds);
  }
  if (ordered.length === 0) return taken;
  // All tables one below the other: a code's line is where its own begins, and so many further.
  const starts: number[] = [];
  let lines = 0;
  for (const { numbers } of ordered) {
    starts.push(lines - firstCode);
    lines += numbers.length;
  }
  const width = ordered[0]!.numbers[0]!.length;
  const codes = graph.node('Gather', [input, graph.int64s(ordered.map(({ code }) => code))], { axis: { int: 1 } });
  const line = graph.node('Cast', [graph.node('Add', [codes, graph.floats(starts)])], { to: { int: 7 } });
  const table = Float32Array.from(ordered.flatMap(({ numbers }) => numbers.flat()));
  const numbers = graph.node('Gather', [graph.floats(table, [lines, width]), line]);
  const flat = graph.node('Flatten', [numbers], { axis: { int: 1 } });
  return takes.length === 0 ? flat : graph.node('Concat', [taken, flat], { axis: { int: 1 } });
}
