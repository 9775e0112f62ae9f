/** Rows as the first layer takes them: a table in the workspace, row by row, and what its columns become for a batch. */
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';
import { type FittedEncoding, inputBits } from './encoding.ts';
import type { Workspace } from './workspace.ts';

/** Differences of two such are still within float32. */
const largest = 1e38;

export class EncodedRows {
  private readonly work: Workspace;
  private readonly columns: number;
  private readonly inputs: number;
  private readonly table: Float32Array;
  private readonly about: Float32Array;

  /** @param rows of x that the table has, one after the other @param inputs of the encoding, with what pads them */
  constructor(work: Workspace, x: Matrix, rows: Int32Array, encoding: FittedEncoding, inputs: number) {
    this.work = work;
    this.columns = x.columns;
    this.inputs = inputs;
    this.table = work.floats(rows.length * x.columns);
    for (let column = 0; column < x.columns; column++) {
      const values = columnOf(x, column);
      for (let place = 0; place < rows.length; place++) {
        const value = values[rows[place]!]!;
        this.table[place * x.columns + column] = Number.isNaN(value) ? 0 : Math.max(-largest, Math.min(largest, value));
      }
    }
    const { column, low, perUnit, gain, shift } = encoding;
    this.about = work.floats(5 * inputs);
    new Uint32Array(this.about.buffer, this.about.byteOffset, inputs).set(column);
    [low, perUnit.map((per) => per * 2 ** -inputBits), gain, shift].forEach((values, i) => {
      this.about.set(values, (i + 1) * inputs);
    });
  }

  /** @param which places in the table, the first `rows` of them @param into float32 [rows × inputs] */
  encode(which: Uint32Array, rows: number, into: Float32Array): void {
    const { table, about } = this;
    this.work.loops.encode(table.byteOffset, this.columns, which.byteOffset, rows, about.byteOffset, this.inputs, into.byteOffset);
  }
}
