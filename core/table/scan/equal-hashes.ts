/** Rows whose hashes are equal. */

/** Gives an array's memory back at once, rather than when the collector comes round. */
export const release = ({ buffer }: Uint32Array) => void (buffer as ArrayBuffer).transfer(0);

/**
 * @param hashes of 64 bits, low half first
 * @returns the rows of which another has the same hash, ascending; undefined where they are more than `most`
 */
export function equalHashes(hashes: Uint32Array, most: number): number[] | undefined {
  const rows = hashes.length / 2;
  const mask = 2 ** Math.ceil(Math.log2(1.4 * rows + 1)) - 1;
  // A row's number and one more; 0 is free.
  const table = new Uint32Array(mask + 1);
  const equal = new Set<number>();
  fill();
  release(table);
  return equal.size > most ? undefined : [...equal].sort((a, b) => a - b);

  function fill(): void {
    for (let row = 0; row < rows; row++) {
      const low = hashes[2 * row]!;
      const high = hashes[2 * row + 1]!;
      let slot = low & mask;
      for (;;) {
        const found = table[slot]! - 1;
        if (found < 0) {
          table[slot] = row + 1;
          break;
        }
        if (hashes[2 * found] === low && hashes[2 * found + 1] === high) {
          equal.add(found).add(row);
          if (equal.size > most) return;
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
  }
}
