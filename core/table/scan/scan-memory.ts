/** The kernel that reads delimited text, and the memory that it works in; kernel/assembly/index.ts has the same fields. */
import { kernelBase64 } from './kernel/scan.wasm.ts';
import { powersOfFive, powersOfTen } from './powers.ts';

interface Kernel {
  setTop(at: number): void;
  setPowers(ofFive: number, ofTen: number): void;
  reserve(bytes: number): number;
  openColumn(column: number, isNumber: number, out: number, bits: number, mostValues: number): void;
  scan(
    at: number,
    end: number,
    columns: number,
    width: number,
    delimiter: number,
    quote: number,
    hashes: number,
    mostValues: number,
  ): number;
  pack(column: number, rows: number, bytes: number): number;
  shrink(column: number, slots: number, numbers: number, codes: number): number;
  stopped: { value: number };
}

export interface Asked {
  /** A column has met a new value. @returns what stands for it in hashes of rows */
  meet(column: number, value: Buffer): bigint;
  /** @returns the number of a cell that is written in no plain way, or NaN where it is none */
  read(column: number, cell: Buffer): number;
}

/** Behind 2,048 bytes of slots; behind 256 numbers. */
const numbersAt = 2048;
const codesAt = numbersAt + 8 * 256;
const columnBytes = 40;
const entryBytes = 32;
/** The kernel reads so far beyond the text. */
export const beyond = 32;
const pageBytes = 65_536;
const maxPages = 65_536;

/** The text of one chunk at a time, and what was read from it. */
export class ScanMemory {
  // Shared memory, though no thread shares it: views of it stay when it grows.
  private readonly memory = new WebAssembly.Memory({ initial: 1, maximum: maxPages, shared: true });
  private readonly kernel: Kernel;
  private readonly columns: number;
  private readonly bits: number;
  private readonly bitsBytes: number;
  private readonly hashes: number;
  /** For `shrink`: slots, numbers, and codes, one behind the other. */
  private readonly shrunk: number;
  private readonly text: number;
  private readonly isNumber: readonly boolean[];
  private readonly mostValues: number;

  /** @param textBytes the longest text of a chunk; @param rows the most that it may have */
  constructor(isNumber: readonly boolean[], textBytes: number, rows: number, mostValues: number, asked: Asked) {
    const env = {
      memory: this.memory,
      meet: (column: number, at: number, length: number) => asked.meet(column, this.bytes(at, length)),
      read: (column: number, at: number, length: number) => asked.read(column, this.bytes(at, length)),
    };
    const compiled = new WebAssembly.Module(Buffer.from(kernelBase64, 'base64'));
    // The types at hand know of imported memory alone.
    const imports = { env } as unknown as ConstructorParameters<typeof WebAssembly.Instance>[1];
    this.kernel = new WebAssembly.Instance(compiled, imports).exports as unknown as Kernel;
    this.isNumber = isNumber;
    this.mostValues = mostValues;
    this.kernel.setTop(1024);
    const [fives, tens] = [powersOfFive(), powersOfTen()];
    const [ofFive, ofTen] = [this.kernel.reserve(fives.byteLength), this.kernel.reserve(tens.byteLength)];
    new BigUint64Array(this.memory.buffer, ofFive, fives.length).set(fives);
    new Float64Array(this.memory.buffer, ofTen, tens.length).set(tens);
    this.kernel.setPowers(ofFive, ofTen);
    this.columns = this.kernel.reserve(columnBytes * isNumber.length);
    this.bitsBytes = Math.ceil(rows / 64) * 8;
    this.bits = this.kernel.reserve(this.bitsBytes * isNumber.length);
    this.hashes = this.kernel.reserve(8 * rows);
    this.shrunk = this.kernel.reserve(codesAt + rows + 8);
    for (const [index, number] of isNumber.entries()) {
      const out = this.kernel.reserve((number ? 8 : 4) * rows + pageBytes);
      this.kernel.openColumn(this.column(index), number ? 1 : 0, out, this.bits + index * this.bitsBytes, mostValues);
    }
    this.text = this.kernel.reserve(textBytes + beyond);
  }

  /** Where the text of a chunk is to be put. */
  textOf(bytes: number): Buffer {
    return this.bytes(this.text, bytes + beyond);
  }

  /**
   * Scans the rows that begin in [from, to) of the text of `bytes`.
   * @returns rows and where the last one ends, or undefined where something is not plain
   */
  scan(from: number, to: number, bytes: number, delimiter: string, quote: string): { rows: number; end: number } | undefined {
    this.bytes(this.text + bytes, beyond).fill(0);
    this.bytes(this.bits, this.bitsBytes * this.isNumber.length).fill(255);
    for (const index of this.isNumber.keys()) this.word(this.column(index) + 12, 0);
    const rows = this.kernel.scan(
      this.text + from,
      this.text + to,
      this.columns,
      this.isNumber.length,
      delimiter.charCodeAt(0),
      quote.charCodeAt(0),
      this.hashes,
      this.mostValues,
    );
    return rows < 0 ? undefined : { rows, end: this.kernel.stopped.value - this.text };
  }

  /** A bit for each row, set where the cell is there. */
  bitsOf(index: number, rows: number): Buffer {
    return this.bytes(this.bits + index * this.bitsBytes, Math.ceil(rows / 8));
  }

  /** How many cells are there. */
  countOf = (index: number) => this.word(this.column(index) + 12);

  /** The cells of a column of numbers that are there. */
  numbersOf(index: number): Buffer {
    return this.bytes(this.word(this.column(index) + 4), 8 * this.countOf(index));
  }

  /** The same as codes of one byte, with zeros behind them up to a multiple of 8, where few are different. */
  fewNumbersOf(index: number): { different: number; numbers: Buffer; codes: Buffer } | undefined {
    const [numbers, codes] = [this.shrunk + numbersAt, this.shrunk + codesAt];
    const different = this.kernel.shrink(this.column(index), this.shrunk, numbers, codes);
    if (different < 0) return undefined;
    return { different, numbers: this.bytes(numbers, 8 * different), codes: this.bytes(codes, Math.ceil(this.countOf(index) / 8) * 8) };
  }

  /** The codes of a column's cells that are there, in 1 or 2 bytes each, with zeros behind them up to a multiple of 8; to be called once. */
  codesOf(index: number, rows: number, bytes: number): Buffer {
    const packed = this.kernel.pack(this.column(index), rows, bytes);
    return this.bytes(this.word(this.column(index) + 4), Math.ceil(packed / (8 * bytes)) * 8 * bytes);
  }

  /** Hashes of the rows, as low and high half. */
  hashesOf = (rows: number) => new Uint32Array(this.memory.buffer, this.hashes, 2 * rows).slice();

  /** Empty cells that a column had so far. */
  emptyOf = (index: number) => this.word(this.column(index) + 16);

  /** How often each of a column's values was met so far, by its code. */
  metOf(index: number, values: number): number[] {
    const entries = this.word(this.column(index) + 20);
    return Array.from({ length: values }, (_, code) => this.word(entries + code * entryBytes + 24));
  }

  private column = (index: number) => this.columns + index * columnBytes;

  private bytes(at: number, length: number): Buffer {
    return Buffer.from(this.memory.buffer as unknown as ArrayBuffer, at >>> 0, length);
  }

  private word(at: number, value?: number): number {
    const view = new Uint32Array(this.memory.buffer, at, 1);
    if (value !== undefined) view[0] = value;
    return view[0]!;
  }
}
