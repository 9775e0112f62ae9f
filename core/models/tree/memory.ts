/** A training set in memory that all threads share, and the header that tells the kernel where all is (assembly/job.ts has the same fields). */
import { IngotError } from '../../errors.ts';
import { maxPages, newMemory, pageBytes, reserve } from '../wasm-memory.ts';
import { kernelBase64 } from './kernel/kernel.wasm.ts';

const fields = [
  'features',
  'rows',
  'allRows',
  'bins',
  'columnBins',
  'edges',
  'raw',
  'firstColumn',
  'columns',
  'target',
  'outputs',
  'bits',
  'seed',
  'bootstrap',
  'maxFeatures',
  'maxDepth',
  'minSamplesSplit',
  'minSamplesLeaf',
  'counts',
  'countsLength',
  'depths',
  'depthsLength',
  'splits',
  'splitsLength',
  'splitter',
] as const;

export type JobField = (typeof fields)[number];

/** The header's address, and the cell of which threads claim their tasks; address 0 is left alone. */
const headerAddress = 64;
const claimsAddress = 256;
const firstFree = 320;

export interface Kernel {
  layout(job: number, arena: number): number;
  begin(): void;
  findEdges(column: number): void;
  fillBins(low: number, high: number): void;
  growTree(tree: number): number;
  addPredictions(tree: number): void;
  nodeSplits: WebAssembly.Global;
  nodeRights: WebAssembly.Global;
  nodeValues: WebAssembly.Global;
  sums: WebAssembly.Global;
}

export const kernelModule = new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (char) => char.charCodeAt(0)));

export class SharedMemory {
  readonly memory: WebAssembly.Memory;
  private end = firstFree;

  constructor(memory?: WebAssembly.Memory) {
    this.memory = memory ?? newMemory();
  }

  /** The address of new memory of that many bytes, zero. */
  take(bytes: number): number {
    const start = this.end;
    this.end = Math.ceil((start + bytes) / 64) * 64;
    this.reserve(this.end);
    return start;
  }

  /** What was taken since `address` is free again (and no longer zero). */
  release(address: number): void {
    this.end = address;
  }

  /** Bytes that are still to be had. */
  get left(): number {
    return maxPages * pageBytes - this.end;
  }

  private reserve(end: number): void {
    if (end > maxPages * pageBytes)
      throw new IngotError(
        'UnreadableDataset',
        'The table is too large to grow trees on: rows × features and what is needed beside them pass 4 GiB.',
        {
          fix: 'Leave out columns that tell little, or sample the rows.',
        },
      );
    reserve(this.memory, end);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  uint32s(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  int32s(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length);
  }

  /** Copies a list of numbers into new memory. */
  put(values: readonly number[] | Int32Array): number {
    const address = this.take(values.length * 4);
    this.uint32s(address, values.length).set(values);
    return address;
  }

  set(values: Partial<Record<JobField, number>>): void {
    const header = this.uint32s(headerAddress, fields.length);
    for (const [name, value] of Object.entries(values)) header[fields.indexOf(name as JobField)] = value;
  }

  get(name: JobField): number {
    return this.uint32s(headerAddress, fields.length)[fields.indexOf(name)]!;
  }

  get claims(): Int32Array {
    return this.int32s(claimsAddress, 1);
  }

  instantiate(): Kernel {
    return new WebAssembly.Instance(kernelModule, { env: { memory: this.memory } }).exports as unknown as Kernel;
  }

  /** Bytes of a thread's arena with the header as it is. */
  arenaBytes(kernel: Kernel): number {
    return kernel.layout(headerAddress, 0) >>> 0;
  }

  enter(kernel: Kernel, arena: number): void {
    kernel.layout(headerAddress, arena);
  }
}
