/** Rows whose features are all equal: on both sides of a split, the one would tell the other's target. */
import { mix32 } from '../random.ts';
import type { Frame } from '../table/frame.ts';

/** Where more rows than this share equal an earlier one, they do so by nature, and a test of rows never seen would be another test. */
const byAccident = 0.5;

export interface EqualRows {
  /** The first row that equals each. */
  first: Int32Array;
  /** How many rows equal an earlier one. */
  repeated: number;
}

/** Compares rows by all columns of the frame. @returns undefined where there are none that should stay together */
export function equalRows({ rows, columns }: Frame): EqualRows | undefined {
  const cells = columns.map((column) => (column.type === 'number' ? bitsOf(column.values) : column.codes));
  const hashes = new Int32Array(rows);
  for (const column of cells) for (let row = 0; row < rows; row++) hashes[row] = mix32(hashes[row]!, column[row]!);
  const mask = 2 ** Math.ceil(Math.log2(2 * rows + 1)) - 1;
  const table = new Int32Array(mask + 1).fill(-1);
  const first = new Int32Array(rows);
  let repeated = 0;
  for (let row = 0; row < rows; row++) {
    let place = hashes[row]! & mask;
    while (table[place]! >= 0 && !isEqual(table[place]!, row)) place = (place + 1) & mask;
    if (table[place]! < 0) table[place] = row;
    else repeated++;
    first[row] = table[place]!;
  }
  return repeated === 0 || repeated > byAccident * rows ? undefined : { first, repeated };

  function isEqual(a: number, b: number): boolean {
    return hashes[a] === hashes[b] && cells.every((column) => column[a] === column[b]);
  }
}

/** As float32, in whichever precision they were read; every NaN alike, and -0 as 0. */
function bitsOf(values: Float32Array | Float64Array): Int32Array {
  const bits = new Int32Array(Float32Array.from(values, (value) => value + 0).buffer);
  for (let row = 0; row < bits.length; row++) if (Number.isNaN(values[row])) bits[row] = 0x7fc00000;
  return bits;
}
