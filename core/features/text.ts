/**
 * Free text: counts of words, pairs of words and runs of characters, weighted by how few texts have them (TF-IDF: Spärck Jones 1972), and drawn
 * together into a few features that trees can use: the main directions of the train rows' texts, and what the target is like where the terms are.
 *
 *   features = counts · weights / √(counts² · idf²)
 *
 * Weights are whole multiples of 2⁻²⁰ and counts at most 255, so that every sum is exact in float64 and no runtime's order of adding matters.
 */
import type { CategoryColumn } from '../table/frame.ts';
import type { Derivation } from './derivation.ts';
import { type FittedText, mostCount, squareUnit, weightUnit } from './fitted-text.ts';
import { type Learning, responseOf, shrunkenMeans, toldClasses } from './target-encoding.ts';
import { textToOnnx } from './text-onnx.ts';
import { TermCounter } from './text-tokens.ts';
import { fitVocabulary } from './text-vocabulary.ts';
import { rightSingularVectors, type SparseRows } from './truncated-svd.ts';

/** With 2⁸ of a count and 2¹³ terms, sums of products stay below the 2⁵³ up to which float64 is exact. */
const mostUnits = 2 ** 30;
/** Directions of the texts, and one for each so many rows at most. */
const mostDirections = 24;
const rowsPerDirection = 20;
/** Vocabulary and directions are fitted on so many texts, evenly spread. */
const sampleTexts = 5000;

export function fitText(
  column: CategoryColumn,
  missing: readonly string[],
  classes: readonly string[] | undefined,
  learning: Learning | undefined,
): Pick<FittedText, 'vocabulary' | 'squares' | 'weights' | 'of' | 'labels'> {
  const known = Array.from(column.codes, (code) => (code < 0 ? '' : column.dictionary[code]!)).filter((text) => !missing.includes(text));
  const step = Math.max(1, Math.ceil(known.length / sampleTexts));
  const sample = known.filter((_, i) => i % step === 0);
  const vocabulary = fitVocabulary(sample);
  const counter = new TermCounter(vocabulary);
  const counted = sample.map((text) => counter.count(text));
  const containing = new Int32Array(counter.terms);
  for (const { terms } of counted) for (const term of terms) containing[term]!++;
  const idf = Float64Array.from(containing, (count) => Math.log((1 + sample.length) / (1 + count)) + 1);
  const squares = Array.from(idf, (value) => Math.round(value ** 2 / squareUnit));
  const rank = Math.min(mostDirections, Math.floor(sample.length / rowsPerDirection), counter.terms);
  const directions = rank < 1 ? [] : rightSingularVectors(tfIdf(counted, idf), rank, 0);
  const of =
    learning === undefined || counter.terms === 0
      ? []
      : learning.target.task === 'regression'
        ? ['value' as const]
        : toldClasses(learning.target);
  const terms = termsOf(column, counter, missing);
  const rows = Int32Array.from(column.codes.keys());
  const targets = learning === undefined ? [] : of.map((told) => targetWeights(terms, learning, told, squares, rows));
  return {
    vocabulary,
    squares,
    of,
    labels: of.map((told) => (told === 'value' ? 'target' : `target ${classes?.[told] ?? told}`)),
    weights: [...targets, ...directions.map((direction) => inUnits(direction, idf))],
  };
}

const inUnits = (vector: Float64Array, idf: Float64Array) =>
  Array.from(vector, (value, term) => Math.max(-mostUnits, Math.min(mostUnits, Math.round((value * idf[term]!) / weightUnit))));

interface Counted {
  terms: Int32Array;
  counts: Int32Array;
}

function tfIdf(counted: readonly Counted[], idf: Float64Array): SparseRows {
  const rows = sideBySide(counted.map(({ terms }) => terms));
  const values = new Float64Array(rows.columns.length);
  counted.forEach(({ terms, counts }, row) => {
    const weights = Float64Array.from(terms, (term, i) => counts[i]! * idf[term]!);
    const norm = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
    values.set(
      weights.map((weight) => weight / norm),
      rows.starts[row]!,
    );
  });
  return { ...rows, values, width: idf.length };
}

function sideBySide(rows: readonly Int32Array[]): Pick<SparseRows, 'starts' | 'columns'> {
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((own, row) => {
    starts[row + 1] = starts[row]! + own.length;
  });
  const columns = new Int32Array(starts.at(-1)!);
  rows.forEach((own, row) => {
    columns.set(own, starts[row]!);
  });
  return { starts, columns };
}

/**
 * Of every term: how far the mean target of the rows that have it is from the mean of all, in standard deviations, drawn to 0 as
 * target-encoding.ts does.
 * @param rows those that count
 */
function targetWeights(
  { starts, columns: terms, width }: Omit<SparseRows, 'values'>,
  { target }: Learning,
  told: number | 'value',
  squares: readonly number[],
  rows: Int32Array,
): number[] {
  const { means, mean, deviation } = shrunkenMeans(width, responseOf(target, told), function* () {
    for (const row of rows) yield { row, groups: terms.subarray(starts[row]!, starts[row + 1]!) };
  });
  const idf = Float64Array.from(squares, (square) => Math.sqrt(square * squareUnit));
  return inUnits(
    means.map((value) => (deviation > 0 ? (value - mean) / deviation : 0)),
    idf,
  );
}

/** The terms of each row, none where it is missing. */
function termsOf({ codes, dictionary }: CategoryColumn, counter: TermCounter, missing: readonly string[]): Omit<SparseRows, 'values'> {
  const isMissing = new Set(missing);
  const known = new Map<number, Int32Array>();
  const own = Array.from(codes, (code) => {
    const text = code < 0 ? '' : dictionary[code]!;
    const terms = known.get(code) ?? Int32Array.from(isMissing.has(text) ? [] : counter.count(text).terms);
    known.set(code, terms);
    return terms;
  });
  return { ...sideBySide(own), width: counter.terms };
}

/** The numbers of train rows: of what is told by the target, what the rows of the other folds say. */
export function deriveTextOutOfFold(fitted: FittedText, column: CategoryColumn, learning: Learning): Float32Array[] {
  const terms = termsOf(column, new TermCounter(fitted.vocabulary), fitted.missing);
  const numbers = texts.derive(fitted, column);
  const rows = Int32Array.from(column.codes.keys());
  for (const fold of new Set(learning.foldOf)) {
    const [own, others] = [true, false].map((is) => rows.filter((row) => (learning.foldOf[row] === fold) === is)) as [
      Int32Array,
      Int32Array,
    ];
    const weights = fitted.of.map((told) => targetWeights(terms, learning, told, fitted.squares, others));
    const ownNumbers = deriveWith({ ...fitted, weights }, { ...column, codes: own.map((row) => column.codes[row]!) });
    ownNumbers.forEach((values, i) => {
      own.forEach((row, place) => {
        numbers[i]![row] = values[place]!;
      });
    });
  }
  return numbers;
}

function deriveWith({ vocabulary, squares, weights, missing }: FittedText, { codes, dictionary }: CategoryColumn): Float32Array[] {
  const counter = new TermCounter(vocabulary);
  const isMissing = new Set(missing);
  const width = weights.length;
  const byTerm = new Float64Array(counter.terms * width);
  for (const [i, own] of weights.entries())
    for (let term = 0; term < own.length; term++) byTerm[term * width + i] = own[term]! * weightUnit;
  const known = new Map<number, number[]>();
  const numbersOf = (text: string): number[] => {
    if (isMissing.has(text)) return weights.map(() => Number.NaN);
    const sums = new Float64Array(weights.length);
    let norm = 0;
    const { terms, counts } = counter.count(text);
    for (let k = 0; k < terms.length; k++) {
      const capped = Math.min(mostCount, counts[k]!);
      const at = terms[k]! * width;
      for (let i = 0; i < width; i++) sums[i]! += capped * byTerm[at + i]!;
      norm += capped * capped * squares[terms[k]!]! * squareUnit;
    }
    return Array.from(sums, (sum) => sum / (norm > 0 ? Math.sqrt(norm) : 1));
  };
  const numbers = weights.map(() => new Float32Array(codes.length));
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    const own = known.get(code) ?? numbersOf(code < 0 ? '' : dictionary[code]!);
    known.set(code, own);
    for (let i = 0; i < own.length; i++) numbers[i]![row] = own[i]!;
  }
  return numbers;
}

export const texts: Derivation<FittedText> = {
  names: ({ name, labels, weights }) => [
    ...labels.map((label) => `${name}: ${label}`),
    ...Array.from({ length: weights.length - labels.length }, (_, i) => `${name}: direction ${i + 1}`),
  ],

  derive: deriveWith,

  toOnnx: textToOnnx,

  probes: ({ vocabulary, missing }) => {
    const words = Object.keys(vocabulary.words).slice(0, 200);
    const characters = Object.keys(vocabulary.characters).slice(0, 100).join('');
    return [
      '',
      ' ',
      'a',
      ...missing,
      ...words,
      characters,
      words.join(' '),
      words.map((word) => `“${word.toUpperCase()}”,`).join('\n'),
      '😀\uFFFDé ß',
    ];
  },
};
