/** A network's memory, and the loops that work in it (kernel/assembly). */
import { newMemory, reserve } from '../wasm-memory.ts';
import { kernelBase64 } from './kernel/network.wasm.ts';

/** Pages that it grows by. */
const atOnce = 64;

export interface Loops {
  multiply(a: number, b: number, start: number, into: number, rows: number, inner: number, columns: number, strip: number): void;
  multiplyDoubles(a: number, b: number, start: number, into: number, rows: number, inner: number, columns: number, strip: number): void;
  transpose(a: number, into: number, rows: number, columns: number): void;
  encode(table: number, features: number, which: number, rows: number, about: number, inputs: number, into: number): void;
  activate(a: number, into: number, bytes: number, scale: number, dropped: number, state: number): void;
  deactivate(active: number, gradient: number, bytes: number, scale: number): void;
  sumRows(a: number, rows: number, columns: number, into: number): void;
  normalise(a: number, rows: number, columns: number, gain: number, bias: number, into: number, statistics: number, least: number): void;
  denormalise(
    normal: number,
    gradient: number,
    rows: number,
    columns: number,
    gain: number,
    per: number,
    gains: number,
    biases: number,
  ): void;
  softmax(scores: number, rows: number, classes: number, columns: number, truth: number, into: number): void;
  crossEntropy(scores: number, rows: number, classes: number, columns: number, truth: number, weights: number, smoothing: number): void;
  adam(
    at: number,
    gradient: number,
    first: number,
    second: number,
    mean: number,
    bytes: number,
    rate: number,
    correction: number,
    kept: number,
    share: number,
  ): void;
}

const compiled = new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (char) => char.charCodeAt(0)));

export class Workspace {
  readonly loops: Loops;
  private readonly memory = newMemory();
  private end = 64;

  constructor() {
    this.loops = new WebAssembly.Instance(compiled, { env: { memory: this.memory } }).exports as unknown as Loops;
  }

  floats(length: number): Float32Array {
    const start = this.take(length * 4);
    return new Float32Array(this.memory.buffer, start, length);
  }

  doubles(length: number): Float64Array {
    const start = this.take(length * 8);
    return new Float64Array(this.memory.buffer, start, length);
  }

  uint32s(length: number): Uint32Array {
    const start = this.take(length * 4);
    return new Uint32Array(this.memory.buffer, start, length);
  }

  private take(bytes: number): number {
    const start = this.end;
    this.end = Math.ceil((start + bytes) / 64) * 64;
    reserve(this.memory, this.end, atOnce);
    return start;
  }
}

/** The next multiple of eight: as many columns as the loops take. */
export const padded = (columns: number): number => Math.ceil(columns / 8) * 8;
