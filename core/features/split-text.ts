/** Texts cut in pieces in the graph. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * @param text string [rows, k], one of which has as many pieces as are asked for
 * @param delimiter runs of spaces where there is none
 * @returns the pieces in these places, each a tensor of that shape; '' where a text has fewer
 */
export function splitText(graph: GraphBuilder, text: string, delimiter: string | undefined, places: readonly number[]): string[] {
  const pieces = graph.node('StringSplit', [text], delimiter === undefined ? {} : { delimiter: { string: delimiter } }, { outputs: 2 });
  return places.map((place) => graph.node('Gather', [pieces, graph.int64s([place], [])], { axis: { int: 2 } }));
}
