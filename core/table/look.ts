/**
 * Looks at every cell of the staged columns in SQL, in a scan or two of each block: how often each value occurs that is no number (of number columns),
 * is missing (of free text) or at all (of the others).
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { numberReader } from '../features/number-formats.ts';
import type { DatasetSpec } from '../spec.ts';
import { literal, rowsOf } from './database.ts';
import { type DateForm, guessDate } from './date-guess.ts';
import { areGroupedByDots, guessNumber, type NumberForm } from './number-guess.ts';
import { spellingKey } from './spellings.ts';
import { type Block, blocksOf, numbersOf, type Stage } from './stage.ts';
import { dateCell, type Form, numberCell } from './values.ts';

export interface Look {
  form: Form;
  rows: number;
  /** Cells that hold a number (form number), or text (form text); 0 for values. */
  plain: number;
  /** Raw value → cells, the most frequent first: those not in `plain`. Empty where there are more than `mostValues`. */
  counts: Map<string, number>;
  /** The same of all values, where they were counted and are not too many. */
  all?: Map<string, number>;
  /** How many different values `counts` has, or would have. */
  distinct: number;
  /** Whether a value has a line break or NUL inside, or begins with a byte order mark, which only a careful reader gets right. */
  suspicious: boolean;
}

const suspicion = '^\\x{FEFF}|[\\r\\n\\x00]';

/** Of more different values than these no list is made: they are taken as they stand, each spelling a value of its own. */
export const mostValues = 50_000;
/** From this share of its values that are there, a column is numbers, and the rest strays. */
export const numberShare = 0.9;
/** From this share of different values (in 20 rows or more), a column of strings is text or a key, with nothing to learn from. */
export const textShare = 0.5;

/** From this many words on average, what would be a key is text. */
const wordsOfText = 3;
const countWords = (value: string) => value.trim().split(/\s+/).length;

/** GROUPING has a bit for each column in a BIGINT. */
const mostSets = 60;
const unnestedColumns = 1000;

export interface Guess {
  form: Form;
  /** Whether the first rows leave it open that the column has a single value, or an integer of its own for each row. */
  mayBeUseless: boolean;
  /** Whether they are texts of some words. */
  isText: boolean;
  /** Whether it depends on other columns how its numbers are read. */
  isOpen: boolean;
  /** Where most of them are numbers. */
  number?: NumberForm;
  /** Where most of them are dates. */
  date?: DateForm;
}

/** What the spec says of a column. */
type Specs = (name: string) => NonNullable<DatasetSpec['columns']>[string];

/** Guesses from the first rows of the view `raw`, whose columns are c0, c1 … */
export async function guess(database: DuckDBConnection, names: string[], missing: Set<string>, specs: Specs): Promise<Guess[]> {
  const columns = names.length;
  const rows = Math.min(10_000, Math.max(100, Math.floor(2_000_000 / columns)));
  const guesses: Guess[] = [];
  const open = new Map<number, DuckDBValue[]>();
  const guessAt = (index: number, cells: DuckDBValue[], likely?: '.' | ',') =>
    guessOf(names[index]!, cells, missing, specs(names[index]!), likely);
  for (const block of blocksOf(columns)) {
    const result = await database.runAndReadAll(`SELECT ${block.map((column) => `c${column}`).join(', ')} FROM raw LIMIT ${rows}`);
    for (const [place, cells] of result.getColumns().entries()) {
      guesses.push(guessAt(block[place]!, cells));
      if (guesses.at(-1)!.isOpen) open.set(block[place]!, cells);
    }
  }
  // Columns that leave it open which mark is the decimal one have the mark of the others.
  const sure = guesses.flatMap(({ number, isOpen }) => (number?.written !== undefined && !isOpen ? [number.written.decimal] : []));
  const [likely, ...others] = new Set(sure);
  if (likely !== undefined && others.length === 0) for (const [index, cells] of open) guesses[index] = guessAt(index, cells, likely);
  return guesses;
}

function guessOf(name: string, cells: DuckDBValue[], missing: Set<string>, spec: ReturnType<Specs>, likely?: '.' | ','): Guess {
  const { dayFirst, type, decimal } = spec;
  const values = cells.filter((cell): cell is string => typeof cell === 'string' && !missing.has(cell.trim().toLowerCase()));
  const distinct = new Set(values.map(spellingKey)).size;
  const number = guessNumber(values, numberShare, { decimal, likely });
  const { written } = number ?? {};
  const read = written === undefined ? Number : numberReader(written);
  const areIntegers = number !== undefined && values.every((value) => Number.isInteger(read(value)));
  const mayBeUseless = distinct < 2 || (areIntegers && distinct === values.length);
  const isText = values.length > 0 && values.reduce((sum, value) => sum + countWords(value), 0) >= wordsOfText * values.length;
  const date = guessDate(name, values, numberShare, dayFirst);
  const leavesOpen = () => (written === undefined ? areGroupedByDots(values) : !values.some((value) => /\d[.,]\d/.test(value)));
  const isOpen = number !== undefined && (number.ambiguous === true || leavesOpen());
  const found = { mayBeUseless, isText, isOpen, ...(number && { number }) };
  if (date !== undefined && (type === undefined || type === 'date')) return { form: date, ...found, date };
  if (number !== undefined) return { form: number, ...found };
  return { form: { as: values.length >= 1000 && distinct > textShare * values.length ? 'text' : 'values' }, ...found };
}

const plainMark = '\u0001';

function cellSql(column: number, form: Form, missing: Set<string>): string {
  const raw = `coalesce(c${column}, '')`;
  if (form.as === 'number') return `CASE WHEN ${numberCell(`c${column}`, form.written)} IS NOT NULL THEN '${plainMark}' ELSE ${raw} END`;
  if (form.as === 'date') return `CASE WHEN ${dateCell(`c${column}`, form.format)} IS NOT NULL THEN '${plainMark}' ELSE ${raw} END`;
  if (form.as === 'text')
    return `CASE WHEN lower(trim(${raw})) IN (${[...missing].map(literal).join(', ')}) THEN ${raw} ELSE '${plainMark}' END`;
  return raw;
}

/**
 * Counts the values of VARCHAR expressions into the table `counts (g, v, n)`: key, value, rows. No expression may be NULL.
 * @param keys a number for each expression
 */
export async function countValues(database: DuckDBConnection, relation: string, keys: number[], cells: string[]): Promise<void> {
  await database.run('CREATE OR REPLACE TEMP TABLE counts (g INTEGER, v VARCHAR, n BIGINT)');
  if (cells.length > 0 && cells.length <= mostSets) {
    const names = cells.map((_, index) => `e${index}`);
    const masks = keys.map(
      (_, index) => `WHEN ${2n ** BigInt(keys.length) - 1n - 2n ** BigInt(names.length - 1 - index)} THEN ${keys[index]}`,
    );
    await database.run(
      `INSERT INTO counts SELECT CASE GROUPING(${names.join(', ')}) ${masks.join(' ')} END, coalesce(${names.join(', ')}), count(*)
       FROM (SELECT ${cells.map((cell, index) => `${cell} AS e${index}`).join(', ')} FROM ${relation})
       GROUP BY GROUPING SETS (${names.map((key) => `(${key})`).join(', ')})`,
    );
  } else {
    for (let from = 0; from < cells.length; from += unnestedColumns) {
      const some = keys.slice(from, from + unnestedColumns);
      await database.run(
        `INSERT INTO counts SELECT g, v, count(*) FROM (SELECT unnest([${some.join(', ')}]) AS g,
         unnest([${cells.slice(from, from + unnestedColumns).join(', ')}]) AS v FROM ${relation}) GROUP BY g, v`,
      );
    }
  }
}

/** @param columns indices of the columns to look at; those that are staged as numbers are looked at as such */
export async function look(
  database: DuckDBConnection,
  stage: Stage,
  columns: number[],
  forms: Form[],
  missing: Set<string>,
): Promise<Map<number, Look>> {
  const looks = new Map<number, Look>(columns.map((column) => [column, emptyLook(forms[column]!)]));
  for (const block of stage.blocks) {
    const some = block.columns.filter((column) => looks.has(column));
    if (some.length > 0) await lookAtBlock(database, block, some, looks, stage.forms, missing);
  }
  return looks;
}

async function lookAtBlock(
  database: DuckDBConnection,
  block: Block,
  columns: number[],
  looks: Map<number, Look>,
  staged: Form[],
  missing: Set<string>,
): Promise<void> {
  const relation = block.sql;
  const [[total = 0] = []] = await rowsOf(database, `SELECT count(*) FROM ${relation}`);
  for (const column of columns) looks.get(column)!.rows = Number(total);
  const open = columns.filter((column) => staged[column]!.as !== 'number');
  const cells = open.map((column) => cellSql(column, looks.get(column)!.form, missing));
  await countValues(database, relation, open, cells);
  await countNonNumbers(database, block, columns, staged);
  const summary = await rowsOf(
    database,
    `SELECT g, count(*), coalesce(sum(n) FILTER (WHERE v <> '${plainMark}'), 0)::BIGINT, bool_or(regexp_matches(v, '${suspicion}'))
     FROM counts GROUP BY g`,
  );
  const summaries = new Map(summary.map(([g, ...rest]) => [Number(g), rest]));
  for (const column of columns) {
    const found = looks.get(column)!;
    const [distinct = 0, others = 0, suspicious = false] = summaries.get(column) ?? [];
    if (found.form.as !== 'values') found.plain = found.rows - Number(others);
    found.distinct = Number(distinct) + (staged[column]!.as === 'number' && found.plain > 0 ? 1 : 0);
    found.suspicious = suspicious === true;
  }
  const values = await database.stream(
    `SELECT g, v, n::DOUBLE FROM counts WHERE g IN (SELECT g FROM counts GROUP BY g HAVING count(*) <= ${mostValues}) ORDER BY g, n DESC, v`,
  );
  for await (const rows of values.yieldRows()) {
    for (const [g, v, n] of rows) {
      const { counts, form } = looks.get(Number(g))!;
      if (form.as === 'values' || v !== plainMark) counts.set(String(v), Number(n));
    }
  }
  for (const column of open) {
    const found = looks.get(column)!;
    if (found.form.as === 'values' && found.counts.size === found.distinct) found.all = found.counts;
  }
  await countText(database, relation, open, looks);
}

/** Adds to `counts` the cells of columns staged as numbers that are none. */
async function countNonNumbers(database: DuckDBConnection, block: Block, columns: number[], staged: Form[]): Promise<void> {
  const numbers = numbersOf(block, staged).map(({ column }) => column);
  const asked = columns.filter((column) => staged[column]!.as === 'number');
  if (asked.length === 0) return;
  await database.run(
    `INSERT INTO counts SELECT g, v, count(*) FROM (SELECT unnest([${numbers.join(', ')}]) AS g, unnest(s) AS v FROM ${block.sql} WHERE s IS NOT NULL)
     WHERE v IS NOT NULL AND g IN (${asked.join(', ')}) GROUP BY g, v`,
  );
}

const emptyLook = (form: Form): Look => ({ form, rows: 0, plain: 0, counts: new Map(), distinct: 0, suspicious: false });

/** Different texts, by HyperLogLog: within a few percent, and the same whatever the threads, since registers are merged by their maximum. */
async function countText(database: DuckDBConnection, relation: string, columns: number[], looks: Map<number, Look>): Promise<void> {
  const texts = columns.map((column) => [column, looks.get(column)!] as const).filter(([, { form }]) => form.as === 'text');
  if (texts.length === 0) return;
  const aggregates = texts.map(
    ([column]) => `approx_count_distinct(c${column}), coalesce(bool_or(regexp_matches(c${column}, '${suspicion}')), false)`,
  );
  const [row = []] = await rowsOf(database, `SELECT ${aggregates.join(', ')} FROM ${relation}`);
  for (const [index, [, found]] of texts.entries()) {
    found.distinct = Math.min(found.plain, Number(row[2 * index]));
    found.suspicious ||= row[2 * index + 1] === true;
  }
}
