/**
 * Numbers that float32 can't tell apart: integers beyond 2^24, money with cents in millions. They enter in float64 and become their distance from
 * the train rows' median, as the nearest float32 and, where that is still not enough, what it leaves.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { NumberColumn } from '../table/frame.ts';
import type { Derivation, Derived } from './derivation.ts';
import type { NumberFormat } from './number-formats.ts';

export interface FittedWide extends Derived {
  type: 'wide';
  /** A float64, subtracted in float64. */
  offset: number;
  /** Whether what the nearest float32 leaves is a feature too. */
  hasRest: boolean;
  /** How it is written, where the graph takes it as text. */
  written?: NumberFormat;
}

/** From here on float32 skips integers. */
export const exactIntegers = 2 ** 24;

/** @returns undefined where float32 tells all of the values apart that differ, or has no such distances: beyond its range they are infinite */
export function fitWide(values: Float64Array): Pick<FittedWide, 'offset' | 'hasRest'> | undefined {
  const sorted = values.filter(Number.isFinite).sort();
  if (!merges(sorted, 0)) return undefined;
  const offset = sorted[sorted.length >> 1]!;
  if (![sorted[0]!, sorted.at(-1)!].every((value) => Number.isFinite(Math.fround(value - offset)))) return undefined;
  return { offset, hasRest: merges(sorted, offset) };
}

/** @param sorted ascending */
function merges(sorted: Float64Array, offset: number): boolean {
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!];
    if (a !== b && Math.fround(a - offset) === Math.fround(b - offset)) return true;
  }
  return false;
}

export const wideNumbers: Derivation<FittedWide, NumberColumn> = {
  names: ({ name, hasRest }) => (hasRest ? [name, `${name}: beyond float32`] : [name]),

  derive({ offset, hasRest }, { values }) {
    const near = new Float32Array(values.length);
    const rest = new Float32Array(hasRest ? values.length : 0);
    for (let i = 0; i < values.length; i++) near[i] = values[i]! - offset;
    for (let i = 0; i < rest.length; i++) rest[i] = values[i]! - offset - near[i]!;
    return hasRest ? [near, rest] : [near];
  },

  toOnnx(graph: GraphBuilder, { offset, hasRest }, input) {
    const distance = graph.node('Sub', [input, graph.doubles([offset])]);
    const near = graph.node('Cast', [distance], { to: { int: 1 } });
    if (!hasRest) return near;
    const rest = graph.node('Sub', [distance, graph.node('Cast', [near], { to: { int: 11 } })]);
    return graph.node('Concat', [near, graph.node('Cast', [rest], { to: { int: 1 } })], { axis: { int: 1 } });
  },

  probes: ({ offset }) => [0, -1, Number.NaN, Infinity, -Infinity, ...[-1e6, -1, -0.5, 0, 0.5, 1, 1e6, 1e15].map((step) => offset + step)],
};
