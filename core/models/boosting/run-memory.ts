/** The header of a boosting run, in shared memory: tree/kernel/assembly/boost/run.ts has the same fields in the same order. */
import { kernelBase64 } from '../tree/kernel/boost.wasm.ts';
import type { SharedMemory } from '../tree/memory.ts';

const reals = ['learningRate', 'l2', 'minGain', 'minSumHessian', 'quantile', 'gradientUnit', 'hessianUnit', 'cell'] as const;
const integers = [
  ...(['epoch', 'done', 'sleepers', 'stop'] as const),
  ...(['features', 'rows', 'allRows', 'bins', 'columnBins', 'threads', 'outputs', 'objective'] as const),
  ...(['maxLeaves', 'maxDepth', 'minSamplesLeaf', 'bits', 'gradientShift', 'hessianShift'] as const),
  ...(['stochastic', 'used', 'bagged', 'allowed'] as const),
  ...(['target', 'weights', 'scores', 'shares', 'exact', 'packed', 'order', 'spare'] as const),
  ...(['histograms', 'group', 'blocks', 'tasks', 'found', 'leaves', 'nodes'] as const),
  ...(['kind', 'output', 'seed', 'low', 'high', 'middle', 'feature', 'bin', 'missingLeft', 'leafCount'] as const),
  ...(['smaller', 'larger'] as const),
] as const;

export type RunField = (typeof reals)[number] | (typeof integers)[number];

/** Bytes of the kernel's Leaf, Found and Node, and where a Leaf has its rows and a Found nothing that we read. */
export const leafBytes = 64;
export const foundBytes = 24;
export const nodeBytes = 16;
export const leafValueAt = 16;
export const leafLowAt = 24;
/** Of a unit of a score and of a leaf's value: 2^-22. */
export const scoreUnit = 2 ** -22;
export const histogramBytes = 2048;
/** Of the rows that a thread gathers at a time. */
export const blockBytes = 12_288;
/** Features whose histograms are filled together. */
export const largestGroup = 16;
export const rowsPerTask = 4096;

export interface BoostKernel {
  enter(run: number, thread: number): void;
  help(run: number, thread: number): void;
  shares(): void;
  largest(): number;
  gradients(): void;
  growTree(): number;
  setStep(leaf: number, step: number): void;
  settle(): void;
}

const boostModule = new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (char) => char.charCodeAt(0)));

export function instantiateBoost(memory: WebAssembly.Memory): BoostKernel {
  return new WebAssembly.Instance(boostModule, { env: { memory } }).exports as unknown as BoostKernel;
}

/** A header at an address of shared memory. */
export class RunHeader {
  static readonly bytes = reals.length * 8 + integers.length * 4;
  readonly address: number;
  private readonly shared: SharedMemory;

  constructor(shared: SharedMemory, address: number) {
    this.shared = shared;
    this.address = address;
  }

  set(values: Partial<Record<RunField, number>>): void {
    const view = new DataView(this.shared.memory.buffer, this.address, RunHeader.bytes);
    for (const [name, value] of Object.entries(values)) {
      const real = reals.indexOf(name as (typeof reals)[number]);
      if (real >= 0) view.setFloat64(real * 8, value, true);
      else view.setUint32(reals.length * 8 + integers.indexOf(name as (typeof integers)[number]) * 4, value, true);
    }
  }

  /** Sends the helpers home. */
  stop(): void {
    const at = (name: (typeof integers)[number]) => (this.address + reals.length * 8) / 4 + integers.indexOf(name);
    const cells = new Int32Array(this.shared.memory.buffer);
    Atomics.store(cells, at('stop'), 1);
    Atomics.notify(cells, at('epoch'));
  }
}
