/**
 * Statistics of the clean table's columns. Numbers are summed in one stream in row order, so that a sum never depends on which thread came
 * first.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { mix32 } from '../random.ts';
import type { Column } from './columns.ts';
import { identifier, literal, rowsOf } from './database.ts';
import { fill } from './frame-file.ts';
import { countValues } from './look.ts';
import type { ColumnReport } from './report.ts';
import { byCodeUnit } from './values.ts';

export interface Statistics {
  missing: number;
  distinct: number;
  number?: NonNullable<ColumnReport['number']>;
  /** Of categories and booleans: the most frequent first, ties by code unit. */
  values?: { value: string; count: number }[];
}

/** Quantiles are exact up to this many rows; of longer tables every k-th row is taken, which puts a quartile within 0.1 % of the rows of the true one. */
const quantileRows = 262_144;
/** How far beyond the quartiles, in interquartile ranges, a value is an outlier: 3 is Tukey's "far out" (Exploratory Data Analysis, 1977). */
const fence = 3;

/** Few different values are counted exactly; of many, an estimate is good enough. */
const exactlyCounted = 2048;

/** Count, extremes, moments (Welford 1962, by blocks as Chan et al. 1983) and different values of a stream of numbers; NaN is missing. */
class Moments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  mean = 0;
  private squares = 0;
  /** Sums are taken over blocks of fixed size, as the sizes of DuckDB's chunks are nothing to rely on. */
  private readonly block = new Float64Array(4096);
  private filled = 0;
  /** The different values as long as they are few, in a table of slots where NaN is free; */
  private readonly few: Float64Array;
  private different = 0;
  /** of many, HyperLogLog (Flajolet et al. 2007) of 2^12 registers: within 2 %, nearly exact below 4,000. */
  private readonly registers = new Uint8Array(4096);
  private readonly bits = new Uint32Array(2);
  private readonly float = new Float64Array(this.bits.buffer);

  /** @param tellsDistinct whether `distinct` will be asked for */
  constructor(tellsDistinct: boolean) {
    this.few = new Float64Array(tellsDistinct ? 4 * exactlyCounted : 0).fill(NaN);
  }

  add(values: Float64Array): void {
    for (let from = 0; from < values.length; ) {
      const taken = values.subarray(from, from + this.block.length - this.filled);
      this.block.set(taken, this.filled);
      this.filled += taken.length;
      from += taken.length;
      if (this.filled === this.block.length) this.flush();
    }
  }

  /** Takes in what is left; to be called once, after the last value. */
  flush(): void {
    const values = this.block.subarray(0, this.filled);
    this.filled = 0;
    let { min, max } = this;
    let count = 0;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      count++;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (count === 0) return;
    if (this.few.length > 0 && this.different <= exactlyCounted) this.meetFew(values);
    else if (this.few.length > 0) this.meetMany(values);
    const mean = sum / count;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const off = values[i]! - mean;
      if (!Number.isNaN(off)) squares += off * off;
    }
    const total = this.count + count;
    const delta = mean - this.mean;
    this.squares += squares + (delta * delta * this.count * count) / total;
    this.mean += (delta * count) / total;
    Object.assign(this, { count: total, min, max });
  }

  private meetFew(values: Float64Array): void {
    const { few, bits, float } = this;
    const mask = few.length - 1;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      float[0] = value + 0;
      let slot = mix32(bits[0]!, bits[1]!) & mask;
      while (few[slot] !== value && !Number.isNaN(few[slot])) slot = (slot + 1) & mask;
      if (few[slot] === value) continue;
      few[slot] = value;
      if (++this.different <= exactlyCounted) continue;
      this.meetMany(few);
      this.meetMany(values.subarray(i + 1));
      return;
    }
  }

  private meetMany(values: Float64Array): void {
    const { registers, bits, float } = this;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      float[0] = value + 0;
      const hash = mix32(bits[0]!, bits[1]!);
      const rank = Math.clz32((hash << 12) | 0x800) + 1;
      const register = hash >>> 20;
      if (registers[register]! < rank) registers[register] = rank;
    }
  }

  get std(): number {
    return Math.sqrt(this.squares / Math.max(1, this.count));
  }

  /** Exact where they are few. */
  get distinct(): number {
    if (this.different <= exactlyCounted) return this.different;
    const { registers } = this;
    const zeros = registers.filter((rank) => rank === 0).length;
    const raw = ((0.7213 / (1 + 1.079 / registers.length)) * registers.length ** 2) / registers.reduce((sum, rank) => sum + 2 ** -rank, 0);
    return Math.round(raw <= 2.5 * registers.length && zeros > 0 ? registers.length * Math.log(registers.length / zeros) : raw);
  }
}

/** Statistics of number columns, `c<i>` in a relation of `rows` rows, into `found` by their names. */
export async function numberStatistics(
  database: DuckDBConnection,
  relation: string,
  columns: Column[],
  rows: number,
  found: Map<string, Statistics>,
): Promise<void> {
  // As many columns at a time as have samples of 64 MB together.
  const some = Math.min(1000, Math.max(16, Math.floor(8_000_000 / Math.min(rows, quantileRows))));
  for (let from = 0; from < columns.length; from += some)
    await someStatistics(database, relation, columns.slice(from, from + some), rows, found);
}

async function someStatistics(
  database: DuckDBConnection,
  relation: string,
  columns: Column[],
  rows: number,
  found: Map<string, Statistics>,
): Promise<void> {
  const cells = columns.map(({ index }) => `c${index}`);
  const step = Math.ceil(rows / quantileRows);
  const moments = columns.map(() => new Moments(step > 1));
  const samples = columns.map(() => new Float64Array(Math.ceil(rows / step)));
  const result = await database.stream(`SELECT ${cells.map((cell) => `coalesce(${cell}, 'nan')`).join(', ')} FROM ${relation}`);
  let offset = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const [index, sample] of samples.entries()) {
      const { items } = chunk.getColumnVector(index) as unknown as { items: Float64Array };
      moments[index]!.add(items);
      for (let row = (step - (offset % step)) % step; row < items.length; row += step) sample[(offset + row) / step] = items[row]!;
    }
    offset += chunk.rowCount;
  }
  for (const moment of moments) moment.flush();
  // NaN comes last.
  const sorted = samples.map((sample) => sample.sort().subarray(0, firstNaN(sample)));
  const bounds = sorted.map(boundsOf);
  // Where the sample is the whole column, the rest is counted in it; else in SQL, which sums integers whatever the threads.
  const counted =
    step === 1
      ? sorted.map((values, index) => countSorted(values, bounds[index]!))
      : (await countOutliers(database, relation, cells, bounds)).map((outliers, index) => ({
          outliers,
          distinct: moments[index]!.distinct,
        }));
  for (const [index, { name }] of columns.entries()) {
    const { count, min, max, mean, std } = moments[index]!;
    const { q25, median, q75, low, high, isBounded } = bounds[index]!;
    const { outliers, distinct } = counted[index]!;
    const number = { min, max, mean, std, q25, median, q75, low: isBounded ? low : min, high: isBounded ? high : max, outliers };
    found.set(name, { missing: rows - count, distinct: Math.min(distinct, count), ...(count > 0 && { number }) });
  }
}

function firstNaN(sorted: Float64Array): number {
  let end = sorted.length;
  while (end > 0 && Number.isNaN(sorted[end - 1])) end--;
  return end;
}

interface Bounds {
  q25: number;
  median: number;
  q75: number;
  low: number;
  high: number;
  /** Where half of the values are one, there is no range to measure distance by, and no value is an outlier. */
  isBounded: boolean;
}

function boundsOf(values: Float64Array): Bounds {
  const [q25, median, q75] = [0.25, 0.5, 0.75].map((share) => quantile(values, share)) as [number, number, number];
  const low = q25 - fence * (q75 - q25);
  const high = q75 + fence * (q75 - q25);
  return { q25, median, q75, low, high, isBounded: q25 !== q75 && Number.isFinite(high - low) };
}

function countSorted(values: Float64Array, { low, high, isBounded }: Bounds): { outliers: number; distinct: number } {
  let outliers = 0;
  let distinct = 0;
  for (const [index, value] of values.entries()) {
    if (index === 0 || value !== values[index - 1]) distinct++;
    if (isBounded && (value < low || value > high)) outliers++;
  }
  return { outliers, distinct };
}

/** How many values are out of bounds. */
async function countOutliers(database: DuckDBConnection, relation: string, cells: string[], bounds: Bounds[]): Promise<number[]> {
  const items = cells.map((cell, index) => {
    const { low, high, isBounded } = bounds[index]!;
    return isBounded ? `count(*) FILTER (${cell} < ${doubleSql(low)} OR ${cell} > ${doubleSql(high)})` : '0';
  });
  const [row = []] = await rowsOf(database, `SELECT ${items.join(', ')} FROM ${relation}`);
  return row.map(Number);
}

const doubleSql = (value: number) => `'${value}'::DOUBLE`;

/** Linear interpolation between the order statistics around (n − 1) · share: NumPy's and R's (type 7) default. */
function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below === above ? below : below + (above - below) * (place % 1);
}

/**
 * Statistics of categories and booleans, `c<i>` in a relation of raw text, into `found` by their names. The raw values are counted and the counts
 * converted, which is far less work than converting every cell; only of text, which is of too many values to list them all, each cell is converted.
 * Columns of which all rows were counted before are counted in the rows that are left out alone.
 * @param leftOut the other rows of the stage, if there are any
 */
export async function valueStatistics(
  database: DuckDBConnection,
  relation: string,
  leftOut: string | undefined,
  columns: Column[],
  found: Map<string, Statistics>,
): Promise<void> {
  const counted = columns.filter(({ look }) => look.all !== undefined);
  const tallies = new Map(columns.map((column) => [column, new Tally(column)]));
  for (const column of counted) for (const [raw, count] of column.look.all!) tallies.get(column)!.add(raw, count);
  if (leftOut !== undefined) await count(leftOut, counted, -1);
  await count(
    relation,
    columns.filter(({ look }) => look.all === undefined),
    1,
  );
  for (const [{ name }, tally] of tallies) found.set(name, tally.statistics());

  async function count(from: string, some: Column[], sign: 1 | -1): Promise<void> {
    if (some.length === 0) return;
    const cells = some.map(({ index, look, sql }) => `coalesce(${look.form.as === 'text' ? sql : `c${index}`}, '')`);
    await countValues(database, from, [...some.keys()], cells);
    // How many there are is no window beside the other: of many values DuckDB would take time that grows with their square.
    const result = await database.stream(
      `SELECT g, v, n::DOUBLE, d::DOUBLE FROM counts JOIN (SELECT g, count(*) FILTER (WHERE v <> '') AS d FROM counts GROUP BY g) USING (g)
       QUALIFY v = '' OR row_number() OVER (PARTITION BY g ORDER BY n DESC, v) <= ${mostListed}`,
    );
    for await (const rows of result.yieldRows()) {
      for (const [g, v, n, different] of rows) tallies.get(some[Number(g)]!)!.add(String(v), sign * Number(n), Number(different));
    }
  }
}

/** Counts of a column's raw values, as counts of what they become. */
class Tally {
  private missing = 0;
  private different = 0;
  private readonly counts = new Map<string, number>();
  private readonly column: Column;
  private readonly converted: Map<string, string>;

  constructor(column: Column) {
    this.column = column;
    this.converted = new Map([...column.spellings].flatMap(([value, raw]) => raw.map((one) => [one, value])));
  }

  /** @param different values of the column, where not all are told */
  add(raw: string, count: number, different = 0): void {
    const { missingTokens, strays } = this.column;
    this.different = different;
    if (raw === '' || missingTokens.has(raw) || strays.has(raw)) this.missing += count;
    else {
      const value = this.converted.get(raw) ?? raw;
      this.counts.set(value, (this.counts.get(value) ?? 0) + count);
    }
  }

  statistics(): Statistics {
    const values = [...this.counts].filter(([, count]) => count > 0).map(([value, count]) => ({ value, count }));
    return {
      missing: this.missing,
      distinct: this.column.look.form.as === 'text' ? this.different : values.length,
      values: values.sort((a, b) => b.count - a.count || byCodeUnit(a.value, b.value)),
    };
  }
}

/** More values than these are not listed. */
const mostListed = 50_000;

/** The values of one number column, ascending. */
export async function distinctNumbers(database: DuckDBConnection, path: string, name: string): Promise<number[]> {
  const column = identifier(name);
  const [row] = await rowsOf(database, `SELECT count(DISTINCT ${column}) FROM read_parquet(${literal(path)})`);
  const values = new Float64Array(Number(row![0]));
  await fill(database, `SELECT DISTINCT ${column} AS v FROM read_parquet(${literal(path)}) WHERE ${column} IS NOT NULL ORDER BY v`, [
    values,
  ]);
  return [...values];
}
