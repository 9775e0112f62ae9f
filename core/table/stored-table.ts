/**
 * A clean table on disk. What is in memory of it at a time is some columns of all rows, or all columns of some rows: what it takes grows with
 * its rows alone, by a column's values, and not with its size. A table that is small is read once.
 */
import { takeRows } from '../features/split.ts';
import type { DatabaseOptions } from './database.ts';
import type { Frame } from './frame.ts';
import { readFrame, readParts } from './frame-file.ts';

/** Values that are in memory at a time: 64 MB of float32. */
const usualValues = 2 ** 24;
/** Rows of a part are read by as many. */
const vectorRows = 2048;

/** Rows that are taken from wherever they lie. */
export interface RowSource {
  rows: number;
  take(rows: Int32Array): Promise<Frame> | Frame;
}

export class StoredTable {
  readonly rows: number;
  private readonly path: string;
  private readonly names: string[];
  private readonly options: { wide: readonly string[]; within: DatabaseOptions };
  private readonly values: number;
  private whole: Promise<Frame> | undefined;

  /**
   * @param names the columns that matter, in their order; @param rows how many there are
   * @param options.wide columns of double precision; `within` what DuckDB may use; `values` that may be in memory at a time
   */
  constructor(
    path: string,
    names: string[],
    rows: number,
    { wide = [], within = {}, values = usualValues }: { wide?: readonly string[]; within?: DatabaseOptions; values?: number } = {},
  ) {
    this.path = path;
    this.names = names;
    this.rows = rows;
    this.options = { wide, within };
    this.values = values;
  }

  get columnCount(): number {
    return this.names.length;
  }

  /** All rows, some columns at a time, in their order. */
  async *columns(names: string[] = this.names): AsyncGenerator<Frame> {
    const most = Math.max(1, Math.floor(this.values / Math.max(1, this.rows)));
    if (this.names.length <= most) {
      this.whole ??= readFrame(this.path, { ...this.options, columns: this.names });
      const { rows, columns } = await this.whole;
      yield { rows, columns: names.map((name) => columns[this.names.indexOf(name)]!) };
      return;
    }
    for (let first = 0; first < names.length; first += most)
      yield await readFrame(this.path, { ...this.options, columns: names.slice(first, first + most) });
  }

  /** Some rows of all columns, or of some. */
  async take(rows: Int32Array, names?: string[]): Promise<Frame> {
    return (await this.takeEach([rows], names))[0]!;
  }

  /** The same, of several sets of rows in one pass over the table. */
  async takeEach(sets: Int32Array[], names: string[] = this.names): Promise<Frame[]> {
    const taken = sets.map((rows): Frame => ({ rows: rows.length, columns: [] }));
    for await (const frame of this.columns(names))
      for (const [set, rows] of sets.entries()) taken[set]!.columns.push(...takeRows(frame, rows).columns);
    return taken;
  }

  /** All columns, some rows at a time. @param width values that a row becomes */
  async parts(width: number, work: (part: Frame, from: number) => Promise<void>): Promise<void> {
    const size = Math.max(1, Math.floor(this.values / Math.max(1, width, this.names.length) / vectorRows)) * vectorRows;
    if (this.rows > size || !this.whole) return readParts(this.path, { ...this.options, columns: this.names }, size, work);
    await work(await this.whole, 0);
  }
}
