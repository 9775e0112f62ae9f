/** Rows of the kernel matrix, exp(−rate · distance²), made when they are first asked for and kept while there is room, the last used the longest. */
import { newMemory, reserve } from '../wasm-memory.ts';
import type { Points } from './fixed-points.ts';
import { kernelBase64 } from './kernel/rbf.wasm.ts';

const cacheBytes = 2 ** 28;
/** Two rows are used at a time. */
const fewestRows = 4;
/** Pages that the memory grows by: some rows. */
const atOnce = 64;
/** The kernel makes as many of a row's values at a time. */
const lanes = 16;

export interface Loops {
  makeRow(columns: number, features: number, stride: number, row: number, into: number): void;
  step(at: number, gradient: number, rise: number, fall: number, active: number, rowI: number, rowJ: number, by: number): void;
  partner(at: number, gradient: number, fall: number, active: number, row: number, from: number, leastCurvature: number): number;
  addRow(at: number, gradient: number, from: number, size: number, row: number, own: number): void;
  first: WebAssembly.Global;
  least: WebAssembly.Global;
  most: WebAssembly.Global;
}

const compiled = new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (char) => char.charCodeAt(0)));

/** The memory that the loops work in: the points, four lists of the solver's with a number for each row (so one solver at a time), and the rows. */
export class KernelRows {
  readonly points: Points;
  /** What a unit² of distance² is worth in the exponent. */
  readonly rate: number;
  readonly loops: Loops;
  /** How many kernels solvers have gone over: what tells how hard the rows are to part (core/compute/probe.ts). */
  passed = 0;
  private readonly memory = newMemory();
  private readonly columns: number;
  private readonly stride: number;
  private readonly scratch: number;
  private end = 64;
  /** Addresses of rows. */
  private readonly kept = new Map<number, number>();
  private readonly capacity: number;

  constructor(points: Points, rate: number) {
    this.points = points;
    this.rate = rate;
    this.loops = new WebAssembly.Instance(compiled, { env: { memory: this.memory } }).exports as unknown as Loops;
    const rows = points.norms.length;
    this.stride = Math.ceil(rows / lanes) * lanes;
    this.capacity = Math.max(fewestRows, Math.floor(cacheBytes / (4 * this.stride)));
    const columnBytes = this.stride * 4;
    this.columns = this.take(points.columns.length * columnBytes);
    const root = Math.sqrt(rate);
    points.columns.forEach((column, f) => {
      const copy = new Float32Array(this.memory.buffer, this.columns + f * columnBytes, rows);
      for (let i = 0; i < rows; i++) copy[i] = column[i]! * root;
    });
    this.scratch = this.take(4 * this.stride * 8);
  }

  /** Room for one of the solver's four lists, at most a number for each row. */
  list(index: number): number {
    return this.scratch + index * this.stride * 8;
  }

  doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }

  uint32s(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** float32 [rows]; it stays as it is until further rows have been asked for, at least three. */
  row(index: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.address(index), this.points.norms.length);
  }

  /** Where that row is. */
  address(index: number): number {
    const known = this.kept.get(index);
    if (known !== undefined && this.kept.size < this.capacity) return known;
    if (known !== undefined) {
      this.kept.delete(index);
      this.kept.set(index, known);
      return known;
    }
    const row = this.kept.size < this.capacity ? this.take(this.stride * 4) : this.oldest();
    this.loops.makeRow(this.columns, this.points.columns.length, this.stride, index, row);
    this.kept.set(index, row);
    return row;
  }

  private oldest(): number {
    const [index, row] = this.kept.entries().next().value!;
    this.kept.delete(index);
    return row;
  }

  private take(bytes: number): number {
    const start = this.end;
    this.end = Math.ceil((start + bytes) / 64) * 64;
    reserve(this.memory, this.end, atOnce);
    return start;
  }
}
