/** Rows whose features are all equal: on both sides of a split, the one would tell the other's target. */
import { mix32 } from '../random.ts';
import type { Frame, FrameColumn } from '../table/frame.ts';

/** Where more rows than this share equal an earlier one, they do so by nature, and a test of rows never seen would be another test. */
const byAccident = 0.5;

export interface EqualRows {
  /** The first row that equals each. */
  first: Int32Array;
  /** How many rows equal an earlier one. */
  repeated: number;
}

/** Tells rows apart by 64 bits of their features, which are added a column at a time: that two rows are alike by chance is next to impossible, and harmless. */
export class RowHashes {
  private readonly low: Int32Array;
  private readonly high: Int32Array;

  constructor(rows: number) {
    this.low = new Int32Array(rows);
    this.high = new Int32Array(rows).fill(1);
  }

  add(column: FrameColumn): void {
    const { low, high } = this;
    const cells = column.type === 'number' ? bitsOf(column.values) : column.codes;
    for (let row = 0; row < cells.length; row++) {
      low[row] = mix32(low[row]!, cells[row]!);
      high[row] = mix32(high[row]!, Math.imul(cells[row]!, 0x2545f491));
    }
  }

  /** @returns undefined where there are none that should stay together */
  equalRows(): EqualRows | undefined {
    const { low, high } = this;
    const rows = low.length;
    const mask = 2 ** Math.ceil(Math.log2(1.5 * rows + 1)) - 1;
    const table = new Int32Array(mask + 1).fill(-1);
    const first = new Int32Array(rows);
    let repeated = 0;
    for (let row = 0; row < rows; row++) {
      let place = low[row]! & mask;
      for (let other = table[place]!; other >= 0; other = table[place]!) {
        if (low[other] === low[row] && high[other] === high[row]) break;
        place = (place + 1) & mask;
      }
      if (table[place]! < 0) table[place] = row;
      else repeated++;
      first[row] = table[place]!;
    }
    return repeated === 0 || repeated > byAccident * rows ? undefined : { first, repeated };
  }
}

/** Compares rows by all columns of the frame. @returns undefined where there are none that should stay together */
export function equalRows({ rows, columns }: Frame): EqualRows | undefined {
  const hashes = new RowHashes(rows);
  for (const column of columns) hashes.add(column);
  return hashes.equalRows();
}

/** As float32, in whichever precision they were read; every NaN alike, and -0 as 0. */
function bitsOf(values: Float32Array | Float64Array): Int32Array {
  const bits = new Int32Array(Float32Array.from(values, (value) => value + 0).buffer);
  for (let row = 0; row < bits.length; row++) if (Number.isNaN(values[row])) bits[row] = 0x7fc00000;
  return bits;
}
