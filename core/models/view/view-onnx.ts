import { clipToOnnx } from '../../features/clip.ts';
import { imputeToOnnx } from '../../features/impute.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { firstCode, type View } from './view.ts';

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
