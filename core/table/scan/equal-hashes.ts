/** Rows whose hashes are equal. */

/** Gives an array's memory back at once, rather than when the collector comes round. */
export const release = ({ buffer }: Uint32Array) => void (buffer as ArrayBuffer).transfer(0);

/** So many bits for each row let one row in ten through that has no equal. */
const bitsOfRow = 8;

/**
 * A bit for each hash, of which few share one, tells most rows to have no equal without a look at other rows, which would be far away in memory.
 * @param hashes of 64 bits, low half first
 * @returns the rows of which another has the same hash, ascending; undefined where they are more than `most`
 */
export function equalHashes(hashes: Uint32Array, most: number): number[] | undefined {
  const rows = hashes.length / 2;
  const mask = powerOfTwo(bitsOfRow * rows) - 1;
  const once = new Uint32Array(mask / 32 + 1);
  const twice = new Uint32Array(mask / 32 + 1);
  for (let row = 0; row < rows; row++) {
    const bit = hashes[2 * row]! & mask;
    const flag = 1 << (bit & 31);
    if (once[bit >>> 5]! & flag) twice[bit >>> 5]! |= flag;
    else once[bit >>> 5]! |= flag;
  }
  let open = 0;
  for (let row = 0; row < rows; row++) if (isTwice(row)) open++;
  // A row's number and one more; 0 is free.
  const table = new Uint32Array(powerOfTwo(2 * open));
  const equal = new Set<number>();
  for (let row = 0; row < rows && equal.size <= most; row++) if (isTwice(row)) place(row);
  for (const array of [once, twice, table]) release(array);
  return equal.size > most ? undefined : [...equal].sort((a, b) => a - b);

  function isTwice(row: number): boolean {
    const bit = hashes[2 * row]! & mask;
    return ((twice[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  function place(row: number): void {
    const low = hashes[2 * row]!;
    const high = hashes[2 * row + 1]!;
    for (let slot = high & (table.length - 1); ; slot = (slot + 1) & (table.length - 1)) {
      const found = table[slot]! - 1;
      if (found < 0) {
        table[slot] = row + 1;
        return;
      }
      if (hashes[2 * found] === low && hashes[2 * found + 1] === high) {
        equal.add(found).add(row);
        return;
      }
    }
  }
}

const powerOfTwo = (least: number) => 2 ** Math.ceil(Math.log2(Math.max(64, least)));
