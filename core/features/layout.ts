/** Which features a preprocessing makes, in which order, and what they are called. */
import type { ColumnType } from '../spec.ts';
import { trueCode } from './boolean.ts';
import type { Derived } from './derivation.ts';
import { missingCode } from './one-hot.ts';
import type { FittedCategory, FittedColumn, FittedDerived, Preprocess } from './preprocess.ts';
import type { Standard } from './standard.ts';

/** A feature: a number (`value`), whether a column is missing (`missingCode`), whether it has the value of that code, or which code it has. */
export interface Feature {
  column: number;
  is: 'value' | 'code' | number;
  /** Which of the numbers of a derived column. */
  part?: number;
}

/** The type that the column has for those who send rows. */
export const columnTypeOf = ({ type }: FittedColumn): ColumnType => (type === 'encoding' ? 'category' : type === 'wide' ? 'number' : type);

/** The columns that the graph takes in float64. */
export const wideOf = ({ columns }: Pick<Preprocess, 'columns'>) => columns.filter(({ type }) => type === 'wide').map(({ name }) => name);

export const isDerived = (fitted: FittedColumn): fitted is FittedDerived => 'numbers' in fitted;
export const isCategory = (fitted: FittedColumn): fitted is FittedCategory => 'values' in fitted;

/**
 * The features of columns in the order of the matrix: numbers of the table, those that come as text behind the others, and then derived ones, the
 * indicators of both, then each category's values and its indicator, and the codes of those whose values can be put in order. The crosses come behind.
 */
export function layOut(columns: readonly FittedColumn[]): Feature[] {
  const numbers: Feature[] = [];
  const written: Feature[] = [];
  const derived: Feature[] = [];
  const indicators: Feature[] = [];
  const derivedIndicators: Feature[] = [];
  const categories: Feature[] = [];
  const codes: Feature[] = [];
  columns.forEach((fitted, column) => {
    if (isDerived(fitted)) {
      derived.push(...fitted.numbers.map((_, part): Feature => ({ column, is: 'value', part })));
      derivedIndicators.push(...indicatedParts(fitted).map((part): Feature => ({ column, is: missingCode, part })));
      return;
    }
    if (fitted.type === 'number') (fitted.written ? written : numbers).push({ column, is: 'value' });
    else if (fitted.type === 'boolean') categories.push({ column, is: trueCode });
    else categories.push(...fitted.values.map((_, code) => ({ column, is: code })));
    if (isCategory(fitted) && fitted.ordered) codes.push({ column, is: 'code' });
    if (fitted.indicator) (fitted.type === 'number' ? indicators : categories).push({ column, is: missingCode });
  });
  return [...numbers, ...written, ...derived, ...indicators, ...derivedIndicators, ...categories, ...codes];
}

/** How many 0/1 features there are of categories whose codes are features too. */
export function flagCount(columns: readonly FittedColumn[]): number {
  const ordered = columns.map((fitted) => isCategory(fitted) && fitted.ordered);
  return layOut(columns).filter(({ column, is }) => ordered[column] && is !== 'code').length;
}

/** The parts of a column are missing together: one says so for all. */
const indicatedParts = ({ numbers }: Derived) => {
  const first = numbers.findIndex(({ indicator }) => indicator);
  return first < 0 ? [] : [first];
};

/** What makes a feature of its number; undefined where it is none of a number. */
export function standardOf(columns: readonly FittedColumn[], { column, part }: Feature): Standard | undefined {
  const fitted = columns[column]!;
  if (isDerived(fitted)) return fitted.numbers[part!]!;
  return fitted.type === 'number' ? fitted : undefined;
}

/** Names that differ in more than case, as column names of Parquet files must for some readers. */
export function featureNames({ columns, crosses = [] }: Pick<Preprocess, 'columns' | 'crosses'>): string[] {
  const taken = new Set<string>();
  const names = [...layOut(columns).map((feature) => nameOf(columns[feature.column]!, feature)), ...crosses.map(({ name }) => name)];
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${name} (${n})`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

function nameOf(fitted: FittedColumn, { is, part }: Feature): string {
  if (is === missingCode) return `${fitted.name} is missing`;
  if (is === 'code') return `${fitted.name}: code`;
  if (isDerived(fitted)) return fitted.numbers[part!]!.name;
  return fitted.type === 'category' ? `${fitted.name} = ${fitted.values[is as number]!}` : fitted.name;
}
