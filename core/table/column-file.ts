/** A matrix in a file, column after column, in float32: what is read of it is a column at a time. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { LazyMatrix } from '../models/lazy-matrix.ts';
import type { Traits } from '../models/model.ts';

/** Values that are gathered before they are written to their columns' places. */
const blockValues = 2 ** 22;
/** Node reads no more than 2 GB at once. */
const mostBytes = 2 ** 30;

export class ColumnFile {
  private readonly file: number;
  private readonly rows: number;
  private readonly names: string[];
  private readonly block: Float32Array[];
  private filled = 0;
  private written = 0;

  constructor(path: string, names: string[], rows: number) {
    this.file = openSync(path, 'w+');
    this.rows = rows;
    this.names = names;
    const size = Math.max(1024, Math.min(rows, Math.floor(blockValues / Math.max(1, names.length))));
    this.block = names.map(() => new Float32Array(size));
  }

  /** The next rows: those at the places of all columns. */
  add(columns: readonly ArrayLike<number>[], places: Int32Array): void {
    const size = this.block[0]?.length ?? places.length;
    for (let from = 0; from < places.length; ) {
      const count = Math.min(places.length - from, size - this.filled);
      for (const [column, into] of this.block.entries()) {
        const values = columns[column]!;
        for (let i = 0; i < count; i++) into[this.filled + i] = values[places[from + i]!]!;
      }
      this.filled += count;
      from += count;
      if (this.filled === size) this.flush();
    }
  }

  /** The matrix, whose columns are read from the file until that is closed. */
  matrix(traits?: Traits): LazyMatrix {
    this.flush();
    const { file, rows, names } = this;
    return new LazyMatrix({ rows, names, ...(traits && { traits }) }, (feature) => {
      const column = new Float32Array(rows);
      const bytes = new Uint8Array(column.buffer);
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(file, bytes, at, Math.min(mostBytes, bytes.length - at), feature * bytes.length + at);
        if (read === 0) throw new RangeError(`the file of the matrix ends in column ${feature}`);
        at += read;
      }
      return column;
    });
  }

  close(): void {
    closeSync(this.file);
  }

  private flush(): void {
    for (const [column, values] of this.block.entries()) {
      const bytes = new Uint8Array(values.buffer, 0, this.filled * 4);
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.file, bytes, at, bytes.length - at, (column * this.rows + this.written) * 4 + at);
    }
    this.written += this.filled;
    this.filled = 0;
  }
}
