/**
 * A number's text → the number, in the graph. Beside the rows goes one text that has all marks as often as any text may, so that every split has all of
 * its parts; it is cut off at the end.
 *
 *   text ─ matches? ─ without unit, marks and spaces ─ decimal mark → '.' ─ with the power of ten ─ Cast ─ negative? ─ float64 [N, 1]
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { leftOutOf, mostSpaces, type NumberFormat, negativeMark, patternOf, quoted } from './number-formats.ts';
import { splitText } from './split-text.ts';

const float64 = { to: { int: 11 } };

/** @param input string [N, 1] @returns float64 [N, 1], NaN where the text is no number of the format */
export function numberToOnnx(graph: GraphBuilder, format: NumberFormat, input: string): string {
  const { decimal } = format;
  const matches = graph.node('RegexFullMatch', [input], { pattern: { string: patternOf(format) } });
  const sound = graph.node('Where', [matches, input, graph.strings(['0'], [1, 1])]);
  const marks = leftOutOf(format).map((each) => ({ ...each, times: timesOf(each.mark, format) }));
  const full = `1${[...marks, { mark: ' ', times: mostSpaces }].map(({ mark, times }) => `${mark}1`.repeat(times)).join('')}${decimal}1`;
  let text = graph.node('Concat', [sound, graph.strings([full], [1, 1])], { axis: { int: 0 } });
  const negative = negativeMark(format);
  const isNegative = negative && graph.node('RegexFullMatch', [text], { pattern: { string: `.*[${negative}].*` } });
  const join = (a: string, b: string) => graph.node('StringConcat', [a, b]);
  const without = (mark: string | undefined, times: number) =>
    splitText(
      graph,
      text,
      mark,
      Array.from({ length: times + 1 }, (_, i) => i),
    ).reduce(join);
  let powers: string | undefined;
  for (const { mark, power, times } of marks) {
    if (power !== undefined) {
      // What is left of the text has this mark only as the magnitude: longer words are out of it.
      const has = graph.node('RegexFullMatch', [text], { pattern: { string: `.*${quoted(mark)}.*` } });
      powers = graph.node('Where', [has, graph.strings([power], [1, 1]), powers ?? graph.strings([''], [1, 1])]);
    }
    text = without(mark, times);
  }
  text = without(undefined, mostSpaces);
  if (decimal !== '.') {
    const [whole, fraction] = splitText(graph, text, decimal, [0, 1]) as [string, string];
    text = join(join(whole, graph.strings(['.'], [1, 1])), fraction);
  }
  if (powers !== undefined) text = join(text, powers);
  const size = graph.node('Cast', [text], float64);
  const value = isNegative ? graph.node('Where', [isNegative, graph.node('Neg', [size]), size]) : size;
  const own = graph.node('Slice', [value, graph.int64s([0]), graph.int64s([-1]), graph.int64s([0])]);
  return graph.node('Where', [matches, own, graph.doubles([Number.NaN], [1, 1])]);
}

/** How often a mark may stand in a text. */
function timesOf(mark: string, { groups, prefixes = [], suffixes = [] }: NumberFormat): number {
  return groups.includes(mark) && !prefixes.includes(mark) && !suffixes.includes(mark) ? mostSpaces : 1;
}
