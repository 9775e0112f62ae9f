/** The loops of WebAssembly (kernel/assembly), and their memory. */
import { newMemory } from '../wasm-memory.ts';
import { kernelBase64 } from './kernel/columns.wasm.ts';

interface Loops {
  look(column: number, count: number, isFirst: boolean): void;
  range(values: number, count: number, isFirst: boolean): void;
  standardise(values: number, count: number, centre: number, by: number): number;
  addProducts(
    columns: number,
    means: number,
    features: number,
    doubles: number,
    others: number,
    factors: number,
    room: number,
    count: number,
    stride: number,
    plain: number,
    weighted: number,
    matrix: number,
  ): void;
  addSingleProducts(
    columns: number,
    means: number,
    features: number,
    targets: number,
    centre: number,
    scale: number,
    room: number,
    count: number,
    stride: number,
    plain: number,
    matrix: number,
    sizes: number,
  ): void;
  factorise(matrix: number, size: number): void;
  solve(factor: number, size: number, b: number): void;
  multiply(matrix: number, vector: number, into: number, size: number): void;
  finite: WebAssembly.Global;
  varies: WebAssembly.Global;
  most: WebAssembly.Global;
  sum: WebAssembly.Global;
  least: WebAssembly.Global;
  greatest: WebAssembly.Global;
  total: WebAssembly.Global;
}

/** Where what is worked on begins: address 0 is for what is not there. */
export const start = 64;
/** One for the thread, as nothing here waits: it holds what one call works on. Not shared: views of it are gone when it grows. */
export const memory = newMemory(false);
const compiled = new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (char) => char.charCodeAt(0)));
export const loops = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Loops;
