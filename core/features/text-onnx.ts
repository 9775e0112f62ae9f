/**
 * A text → its numbers, in the graph. ONNX has no operator that cuts text into words or characters: onnxruntime's own Tokenizer does.
 *
 *   text ─┬─ words ──────┬─ numbers ─ counts of terms ─ Concat ─┬─ · weights ──────┬─ Div ─ features [N, weights]
 *         └─ characters ─┘                                      └─ squared · idf² ─┘
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type FittedText, mostCount, squareUnit, weightUnit } from './fitted-text.ts';
import { characterRuns, noToken, unknownToken, wordPattern, wordRuns } from './text-tokens.ts';

/** @param input string [N, 1] @returns float32 [N, weights.length] */
export function textToOnnx(graph: GraphBuilder, { vocabulary, squares, weights, missing }: FittedText, input: string): string {
  const { words, characters, wordTerms, characterTerms } = vocabulary;
  // One more row has all that a text needs, so that no tensor is empty; it is cut off at the end.
  const rows = graph.node('Concat', [input, graph.strings(['a a'], [1, 1])], { axis: { int: 0 } });
  const counts = [
    termsToOnnx(graph, rows, `words of ${input}`, { tokenexp: { string: wordPattern } }, words, wordTerms, wordRuns),
    termsToOnnx(graph, rows, `characters of ${input}`, { separators: { strings: [''] } }, characters, characterTerms, characterRuns),
  ].flatMap((tensor) => tensor ?? []);
  const all = counts.length === 1 ? counts[0]! : graph.node('Concat', counts, { axis: { int: 1 } });
  const capped = graph.node('Cast', [graph.node('Min', [all, graph.floats([mostCount])])], { to: { int: 11 } });
  const width = weights.length;
  // A float32 holds a weight of up to 24 bits.
  const isNarrow = weights.every((own) => own.every((weight) => Math.abs(weight) < 2 ** 24));
  const product = (tensor: string, ofTerm: (term: number, column: number) => number, columns: number) => {
    const matrix = Float64Array.from({ length: squares.length * columns }, (_, i) => ofTerm(Math.floor(i / columns), i % columns));
    const dims = [squares.length, columns];
    const factor = isNarrow
      ? graph.node('Cast', [graph.floats(Float32Array.from(matrix), dims)], { to: { int: 11 } })
      : graph.doubles(matrix, dims);
    return graph.node('MatMul', [tensor, factor]);
  };
  const sums = product(capped, (term, column) => weights[column]![term]! * weightUnit, width);
  const norm = product(graph.node('Mul', [capped, capped]), (term) => squares[term]! * squareUnit, 1);
  const hasTerms = graph.node('Greater', [norm, graph.doubles([0])]);
  const divisor = graph.node('Where', [hasTerms, graph.node('Sqrt', [norm]), graph.doubles([1])]);
  const numbers = graph.node('Cast', [graph.node('Div', [sums, divisor])], { to: { int: 1 } });
  const own = graph.node('Slice', [numbers, graph.int64s([0]), graph.int64s([-1]), graph.int64s([0])]);
  const isMissing = labelled(graph, input, Object.fromEntries(missing.map((text) => [text, 1])), 0);
  return graph.node('Where', [graph.node('Cast', [isMissing], { to: { int: 9 } }), graph.floats([Number.NaN], [1, 1]), own]);
}

/**
 * Of string [rows, 1] the counts of terms, float32 [rows, terms]; nothing where there are no terms.
 * @param length what the graph calls the most tokens of a row: of two tensors with dimensions of one name, a runtime gives one the memory of the other
 */
function termsToOnnx(
  graph: GraphBuilder,
  rows: string,
  length: string,
  cut: Parameters<GraphBuilder['node']>[2],
  numbers: Record<string, number>,
  terms: number[][],
  { from, to }: { from: number; to: number },
): string | undefined {
  if (terms.length === 0) return undefined;
  const attributes = { mark: { int: 0 }, mincharnum: { int: 1 }, pad_value: { string: '' }, ...cut };
  const tokens = graph.node('Squeeze', [
    graph.node('Tokenizer', [rows], attributes, { domain: 'com.microsoft', strings: ['rows', 1, length] }),
    graph.int64s([1]),
  ]);
  const pool = Array.from({ length: to }, (_, i) => terms.filter((term) => term.length === i + 1).flat());
  return graph.node('TfIdfVectorizer', [labelled(graph, tokens, { ...numbers, '': noToken }, unknownToken)], {
    mode: { string: 'TF' },
    min_gram_length: { int: from },
    max_gram_length: { int: to },
    max_skip_count: { int: 0 },
    ngram_counts: { ints: pool.map((_, i) => pool.slice(0, i).reduce((sum, some) => sum + some.length, 0)) },
    ngram_indexes: { ints: terms.map((_, i) => i) },
    pool_int64s: { ints: pool.flat() },
  });
}

function labelled(graph: GraphBuilder, texts: string, numbers: Record<string, number>, otherwise: number): string {
  return graph.node(
    'LabelEncoder',
    [texts],
    { keys_strings: { strings: Object.keys(numbers) }, values_int64s: { ints: Object.values(numbers) }, default_int64: { int: otherwise } },
    { domain: 'ai.onnx.ml' },
  );
}
