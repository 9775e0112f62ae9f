/** A hash table from numbers to places, for tight loops: Map would make an object of each key beyond 31 bits. */
export class NumberTable {
  private readonly keys: Float64Array;
  private readonly places: Int32Array;
  private readonly mask: number;

  /** @param keys positive whole numbers below 2^53, each once; each one's place is that in the list */
  constructor(keys: readonly number[]) {
    const size = 2 ** Math.ceil(Math.log2(2 * keys.length + 2));
    this.mask = size - 1;
    this.keys = new Float64Array(size);
    this.places = new Int32Array(size);
    keys.forEach((key, place) => {
      const slot = this.slotOf(key);
      this.keys[slot] = key;
      this.places[slot] = place;
    });
  }

  /** -1 where there is no such key. */
  placeOf(key: number): number {
    const slot = this.slotOf(key);
    return this.keys[slot] === key ? this.places[slot]! : -1;
  }

  /** Where the key is, or would go; 0 is none. */
  private slotOf(key: number): number {
    const high = Math.floor(key / 0x1_0000_0000);
    let slot = Math.imul(Math.imul(key | 0, 0x9e37_79b1) ^ high, 0x85eb_ca6b);
    slot = (slot ^ (slot >>> 15)) & this.mask;
    while (this.keys[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & this.mask;
    return slot;
  }
}
