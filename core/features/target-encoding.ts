/**
 * Categories of many values: instead of a 0/1 feature a value, what the target was like in the train rows that have it (Micci-Barreca 2001),
 * drawn to the mean of all rows the more the fewer they are, and how many they are. A train row sees the encoding and the number of the other
 * folds' rows alone: its own target would leak otherwise, and a value seen once in training would look as if nothing could be learned from it.
 */
import type { Target } from '../models/model.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn } from '../table/frame.ts';
import type { Derivation, Derived } from './derivation.ts';
import { groupsOf, groupsToOnnx } from './groups.ts';
import { fitSpellings, type Spellings } from './one-hot.ts';

export interface FittedEncoding extends Derived, Spellings {
  type: 'encoding';
  /** Of each feature the float32 of every value in order of its code, of a missing one, and of one that is neither. */
  table: number[][];
  /** What the target features tell of: classes, as indices, with their labels; or the value. */
  of: (number | 'value')[];
  labels: string[];
}

/** The target of the train rows, and the fold that each belongs to: best those of the search, so that no score is flattered. */
export interface Learning {
  target: Target;
  foldOf: Int32Array;
}

/** Of more classes, only so many of the most frequent have a feature. */
const mostClasses = 10;
/** Where there are more values than these, only the file's own spellings are known, not their variants in case. */
const mostVariants = 5000;

export function fitEncoding(
  column: CategoryColumn,
  written: ReadonlyMap<string, readonly string[]>,
  tokens: readonly string[],
  classes: readonly string[] | undefined,
  { target }: Learning,
): Pick<FittedEncoding, 'spellings' | 'missing' | 'table' | 'of' | 'labels'> {
  const seen = new Set(column.codes);
  const values = column.dictionary.filter((_, code) => seen.has(code));
  const others = column.dictionary.filter((_, code) => !seen.has(code));
  const spellings = fitSpellings(values, [...values, ...others], written, tokens, { variants: values.length <= mostVariants });
  const of = target.task === 'regression' ? ['value' as const] : toldClasses(target);
  const codes = groupsOf(column, spellings, values.length);
  return {
    ...spellings,
    of,
    labels: of.map((told) => (told === 'value' ? 'target' : `target ${classes?.[told] ?? told}`)),
    table: [
      ...of.map((told) => Array.from(shrunken(codes, values.length + 2, responseOf(target, told)), Math.fround)),
      Array.from(frequencies(codes, values.length + 2)),
    ],
  };
}

/** One of two classes tells of both; of many the most frequent. */
export function toldClasses({ labels, classes }: Extract<Target, { task: 'classification' }>): number[] {
  if (classes <= 2) return [classes - 1];
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label]!++;
  const byCount = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  return byCount.slice(0, mostClasses).sort((a, b) => a - b);
}

export function responseOf(target: Target, told: number | 'value'): Float64Array {
  if (target.task === 'regression') return target.values;
  return Float64Array.from(target.labels, (label) => (label === told ? 1 : 0));
}

/**
 * Empirical Bayes: each group's mean drawn to the mean of all as if that had been seen in `within / between` rows more, by the variances within
 * and between groups (method of moments for groups of unequal size: Searle, Casella & McCulloch, Variance Components, 1992, 3.6).
 * @param rows gives, as often as it is asked, each row that counts and the groups that it is in: one, or, of a text's terms, none or many
 * @returns `means` of each group (`mean`, that of all, for one without rows), and the standard deviation of all
 */
export function shrunkenMeans(
  groups: number,
  response: Float64Array,
  rows: () => Iterable<{ row: number; groups: Iterable<number> }>,
): { means: Float64Array; mean: number; deviation: number } {
  const counts = new Float64Array(groups);
  const sums = new Float64Array(groups);
  const squares = new Float64Array(groups);
  let count = 0;
  let total = 0;
  for (const { row } of rows()) {
    count++;
    total += response[row]!;
  }
  const mean = count === 0 ? 0 : total / count;
  let deviations = 0;
  // Distances from the mean of all: their squares lose no digits where that is large.
  for (const { row, groups: own } of rows()) {
    const off = response[row]! - mean;
    deviations += off * off;
    for (const group of own) {
      counts[group]!++;
      sums[group]! += off;
      squares[group]! += off * off;
    }
  }
  const members = counts.reduce((sum, own) => sum + own, 0);
  const filled = counts.reduce((sum, own) => sum + (own > 0 ? 1 : 0), 0);
  const explained = counts.reduce((sum, own, group) => sum + (own > 0 ? sums[group]! ** 2 / own : 0), 0);
  const middle = sums.reduce((sum, own) => sum + own, 0) ** 2 / Math.max(1, members);
  const within = (squares.reduce((sum, own) => sum + own, 0) - explained) / Math.max(1, members - filled);
  const typical = (members - counts.reduce((sum, own) => sum + own * own, 0) / Math.max(1, members)) / (filled - 1);
  const between = ((explained - middle) / (filled - 1) - within) / typical;
  const deviation = Math.sqrt(deviations / Math.max(1, count));
  if (!(between > 0)) return { means: new Float64Array(groups).fill(mean), mean, deviation };
  const weight = Math.max(0, within / between);
  return { means: sums.map((sum, group) => (counts[group] === 0 ? mean : mean + sum / (counts[group]! + weight))), mean, deviation };
}

/** As above, of groups that each row is in one of. @param rows those that count */
export function shrunken(codes: Int32Array, groups: number, response: Float64Array, rows: Int32Array = rowsOf(codes.length)): Float64Array {
  const own = [0];
  return shrunkenMeans(groups, response, function* () {
    for (const row of rows) {
      own[0] = codes[row]!;
      yield { row, groups: own };
    }
  }).means;
}

/** Of each group the logarithm of how many of the rows are in it. */
function frequencies(codes: Int32Array, groups: number, rows: Int32Array = rowsOf(codes.length)): Float32Array {
  const counts = new Int32Array(groups);
  for (const row of rows) counts[codes[row]!]!++;
  return Float32Array.from(counts, Math.log1p);
}

const rowsOf = (count: number) => Int32Array.from({ length: count }, (_, row) => row);

const sizeOf = ({ table }: FittedEncoding) => table[0]!.length - 2;

/** The numbers of train rows: of each, what the rows of the other folds say. */
export function deriveOutOfFold(fitted: FittedEncoding, column: CategoryColumn, { target, foldOf }: Learning): Float32Array[] {
  const codes = groupsOf(column, fitted, sizeOf(fitted));
  const folds = Int32Array.from(new Set(foldOf)).sort();
  const [others, own] = [true, false].map((isOther) =>
    Array.from(folds, (fold) => rowsOf(codes.length).filter((row) => (foldOf[row] !== fold) === isOther)),
  ) as [Int32Array[], Int32Array[]];
  const groups = sizeOf(fitted) + 2;
  const outOfFold = (ofGroup: (rows: Int32Array) => ArrayLike<number>) => {
    const numbers = new Float32Array(codes.length);
    for (const [index, rows] of others.entries()) {
      const encoding = ofGroup(rows);
      for (const row of own[index]!) numbers[row] = encoding[codes[row]!]!;
    }
    return numbers;
  };
  const told = fitted.of.map((of) => {
    const response = responseOf(target, of);
    return outOfFold((rows) => shrunken(codes, groups, response, rows));
  });
  return [...told, outOfFold((rows) => frequencies(codes, groups, rows))];
}

export const encodings: Derivation<FittedEncoding> = {
  names: ({ name, labels }) => [...labels.map((label) => `${name}: ${label}`), `${name}: rows alike`],

  derive(fitted, column) {
    const codes = groupsOf(column, fitted, sizeOf(fitted));
    return fitted.table.map((ofCode) => Float32Array.from(codes, (code) => ofCode[code]!));
  },

  toOnnx(graph: GraphBuilder, { spellings, missing, table }, input) {
    const values = table[0]!.length - 2;
    const code = groupsToOnnx(graph, input, { spellings, missing }, values);
    const rowMajor = Float32Array.from(
      { length: table.length * (values + 2) },
      (_, i) => table[i % table.length]![Math.floor(i / table.length)]!,
    );
    const numbers = graph.node('Gather', [graph.floats(rowMajor, [values + 2, table.length]), code]);
    return graph.node('Squeeze', [numbers, graph.int64s([1])]);
  },

  probes: ({ spellings, missing }) => ['', '\u0001unseen', ...missing, ...Object.keys(spellings).slice(0, 1000)],
};
