/** A matrix that is not in memory: its columns are made, or read, one by one when they are asked for. */
import type { Matrix, Traits } from './model.ts';
import { soonGarbage } from './wasm-memory.ts';

export class LazyMatrix implements Matrix {
  readonly rows: number;
  readonly names: string[];
  readonly traits?: Traits;
  private readonly make: (feature: number) => Float32Array;
  private whole: Float32Array | undefined;

  /** @param make the values of a column; not to be written to */
  constructor({ rows, names, traits }: Pick<Matrix, 'rows' | 'names' | 'traits'>, make: (feature: number) => Float32Array) {
    this.rows = rows;
    this.names = names;
    if (traits) this.traits = traits;
    this.make = make;
  }

  get columns(): number {
    return this.names.length;
  }

  column(feature: number): Float32Array {
    if (this.whole) return this.whole.subarray(feature * this.rows, (feature + 1) * this.rows);
    soonGarbage(this.rows * 4);
    return this.make(feature);
  }

  /** All of it, which is in memory from then on: for few rows. */
  get data(): Float32Array {
    if (!this.whole) {
      const whole = new Float32Array(this.rows * this.columns);
      for (let feature = 0; feature < this.columns; feature++) whole.set(this.make(feature), feature * this.rows);
      this.whole = whole;
    }
    return this.whole;
  }
}

export const columnOf = (x: Matrix, feature: number): Float32Array =>
  x.column ? x.column(feature) : x.data.subarray(feature * x.rows, (feature + 1) * x.rows);
