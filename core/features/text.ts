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
import { TermCounter, type Vocabulary } from './text-tokens.ts';
import { fitVocabulary } from './text-vocabulary.ts';
import { rightSingularVectors, type SparseRows } from './truncated-svd.ts';

/** With 2⁸ of a count and 2¹³ terms, sums of products stay below the 2⁵³ up to which float64 is exact. */
const mostUnits = 2 ** 30;
/** Directions of the texts, and one for each so many rows at most. */
const mostDirections = 24;
const rowsPerDirection = 20;
/** Vocabulary and directions are fitted on so many texts, evenly spread. */
const sampleTexts = 5000;

/** @param withRuns whether runs of characters are looked for too */
export function fitText(
  column: CategoryColumn,
  missing: readonly string[],
  classes: readonly string[] | undefined,
  learning: Learning | undefined,
  withRuns = true,
): Pick<FittedText, 'vocabulary' | 'squares' | 'weights' | 'of' | 'labels'> {
  const known = Array.from(column.codes, (code) => (code < 0 ? '' : column.dictionary[code]!)).filter((text) => !missing.includes(text));
  const step = Math.max(1, Math.ceil(known.length / sampleTexts));
  const sample = known.filter((_, i) => i % step === 0);
  const vocabulary = fitVocabulary(sample, withRuns);
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
  const texts = countedTexts(column, vocabulary, missing);
  const rows = Int32Array.from(column.codes.keys());
  const targets = learning === undefined ? [] : of.map((told) => targetWeights(texts, learning, told, squares, rows));
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
  const starts = startsOf(counted);
  const columns = new Int32Array(starts.at(-1)!);
  const values = new Float64Array(columns.length);
  counted.forEach(({ terms, counts }, row) => {
    const weights = Float64Array.from(terms, (term, i) => counts[i]! * idf[term]!);
    const norm = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
    columns.set(terms, starts[row]!);
    values.set(
      weights.map((weight) => weight / norm),
      starts[row]!,
    );
  });
  return { starts, columns, values, width: idf.length };
}

function startsOf(counted: readonly Counted[]): Int32Array {
  const starts = new Int32Array(counted.length + 1);
  counted.forEach(({ terms }, row) => {
    starts[row + 1] = starts[row]! + terms.length;
  });
  return starts;
}

/** The texts of a column, each different one counted once: that is most of the work. */
interface CountedTexts {
  /** Of each row the place of its text, -1 where it is missing. */
  textOf: Int32Array;
  /** Of each text the place of its terms, and one place more. */
  starts: Int32Array;
  terms: Int32Array;
  /** How often, up to `mostCount`. */
  counts: Uint8Array;
  /** Terms that there are. */
  width: number;
}

/** Of the columns that are at hand: what is fitted on a column asks for its terms, and what becomes of its rows asks again. */
const lastCounted = new WeakMap<CategoryColumn, { vocabulary: Vocabulary; counted: CountedTexts }>();

function countedTexts(column: CategoryColumn, vocabulary: Vocabulary, missing: readonly string[]): CountedTexts {
  const last = lastCounted.get(column);
  if (last?.vocabulary === vocabulary) return last.counted;
  const counter = new TermCounter(vocabulary);
  const isMissing = new Set(missing);
  const places = new Map<number, number>();
  const found: Counted[] = [];
  const textOf = Int32Array.from(column.codes, (code) => {
    const known = places.get(code);
    if (known !== undefined) return known;
    const text = code < 0 ? '' : column.dictionary[code]!;
    const place = isMissing.has(text) ? -1 : found.push(counter.count(text)) - 1;
    places.set(code, place);
    return place;
  });
  const starts = startsOf(found);
  const terms = new Int32Array(starts.at(-1)!);
  const counts = new Uint8Array(terms.length);
  found.forEach((own, place) => {
    terms.set(own.terms, starts[place]!);
    counts.set(
      own.counts.map((count) => Math.min(mostCount, count)),
      starts[place]!,
    );
  });
  const counted = { textOf, starts, terms, counts, width: counter.terms };
  lastCounted.set(column, { vocabulary, counted });
  return counted;
}

/**
 * Of every term: how far the mean target of the rows that have it is from the mean of all, in standard deviations, drawn to 0 as
 * target-encoding.ts does.
 * @param rows those that count
 */
function targetWeights(
  { textOf, starts, terms, width }: CountedTexts,
  { target }: Learning,
  told: number | 'value',
  squares: readonly number[],
  rows: Int32Array,
): number[] {
  const { means, mean, deviation } = shrunkenMeans(width, responseOf(target, told), function* () {
    for (const row of rows) {
      const text = textOf[row]!;
      yield { row, groups: text < 0 ? [] : terms.subarray(starts[text]!, starts[text + 1]!) };
    }
  });
  const idf = Float64Array.from(squares, (square) => Math.sqrt(square * squareUnit));
  return inUnits(
    means.map((value) => (deviation > 0 ? (value - mean) / deviation : 0)),
    idf,
  );
}

/** The numbers of train rows: of what is told by the target, what the rows of the other folds say. */
export function deriveTextOutOfFold(fitted: FittedText, column: CategoryColumn, learning: Learning): Float32Array[] {
  const counted = countedTexts(column, fitted.vocabulary, fitted.missing);
  const numbers = numbersOf(counted, fitted);
  const rows = Int32Array.from(column.codes.keys());
  for (const fold of new Set(learning.foldOf)) {
    const [own, others] = [true, false].map((is) => rows.filter((row) => (learning.foldOf[row] === fold) === is)) as [
      Int32Array,
      Int32Array,
    ];
    const weights = fitted.of.map((told) => targetWeights(counted, learning, told, fitted.squares, others));
    const ownNumbers = numbersOf({ ...counted, textOf: own.map((row) => counted.textOf[row]!) }, { ...fitted, weights });
    ownNumbers.forEach((values, i) => {
      own.forEach((row, place) => {
        numbers[i]![row] = values[place]!;
      });
    });
  }
  return numbers;
}

function numbersOf({ textOf, starts, terms, counts, width: known }: CountedTexts, { squares, weights }: FittedText): Float32Array[] {
  const width = weights.length;
  const byTerm = new Float64Array(known * width);
  for (const [i, own] of weights.entries())
    for (let term = 0; term < own.length; term++) byTerm[term * width + i] = own[term]! * weightUnit;
  const numbers = weights.map(() => new Float32Array(textOf.length));
  const seen = new Map<number, number>();
  const sums = new Float64Array(width);
  for (let row = 0; row < textOf.length; row++) {
    const text = textOf[row]!;
    const first = seen.get(text);
    if (text < 0 || first !== undefined) {
      for (const own of numbers) own[row] = text < 0 ? Number.NaN : own[first!]!;
      continue;
    }
    seen.set(text, row);
    sums.fill(0);
    let norm = 0;
    for (let k = starts[text]!; k < starts[text + 1]!; k++) {
      const count = counts[k]!;
      const term = terms[k]!;
      for (let i = 0; i < width; i++) sums[i]! += count * byTerm[term * width + i]!;
      norm += count * count * squares[term]! * squareUnit;
    }
    const length = norm > 0 ? Math.sqrt(norm) : 1;
    for (let i = 0; i < width; i++) numbers[i]![row] = sums[i]! / length;
  }
  return numbers;
}

export const texts: Derivation<FittedText> = {
  names: ({ name, labels, weights }) => [
    ...labels.map((label) => `${name}: ${label}`),
    ...Array.from({ length: weights.length - labels.length }, (_, i) => `${name}: direction ${i + 1}`),
  ],

  derive: (fitted, column) => numbersOf(countedTexts(column, fitted.vocabulary, fitted.missing), fitted),

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
