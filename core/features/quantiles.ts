/** Exact quantiles of a column in time linear in its rows: two counting passes over the halves of the float's bits. */

/** Below this many values it is quicker to sort than to clear the counters. */
const worthCounting = 1 << 16;

/**
 * Quantiles of the finite values, linear between neighbours, as numpy's default; 0 where there are none.
 * @param shares ascending, each from 0 to 1
 */
export function quantiles(values: Float32Array, shares: readonly number[]): number[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return shares.map(() => 0);
  const places = shares.map((share) => share * (finite.length - 1));
  const ranks = [...new Set(places.flatMap((place) => [Math.floor(place), Math.ceil(place)]))].sort((a, b) => a - b);
  const ofRank = new Map(finite.length < worthCounting ? bySorting(finite, ranks) : byCounting(finite, ranks));
  return places.map((place) => {
    const below = ofRank.get(Math.floor(place))!;
    return below + (place - Math.floor(place)) * (ofRank.get(Math.ceil(place))! - below);
  });
}

type Ranked = [rank: number, value: number][];

function bySorting(values: Float32Array, ranks: readonly number[]): Ranked {
  const sorted = values.sort();
  return ranks.map((rank) => [rank, sorted[rank]!]);
}

/** @param values overwritten; @param ranks ascending */
function byCounting(values: Float32Array, ranks: readonly number[]): Ranked {
  const keys = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(1 << 16);
  for (let i = 0; i < keys.length; i++) {
    // Floats as unsigned integers in the same order: negative ones turned over, the others above them.
    const key = keys[i]!;
    keys[i] = key >>> 31 ? ~key : key | 0x8000_0000;
    high[keys[i]! >>> 16]!++;
  }
  const bins = ranks.map((rank) => ({ rank, ...binOf(high, rank) }));
  const low = new Map(bins.map(({ bin }) => [bin, new Uint32Array(1 << 16)]));
  const counters = Array.from(high, (_, bin) => low.get(bin));
  for (let i = 0; i < keys.length; i++) {
    const counter = counters[keys[i]! >>> 16];
    if (counter !== undefined) counter[keys[i]! & 0xffff]!++;
  }
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  return bins.map(({ rank, bin, inside }) => {
    const key = bin * 0x1_0000 + binOf(low.get(bin)!, inside).bin;
    bits[0] = key >>> 31 ? key & 0x7fff_ffff : ~key;
    return [rank, float[0]!];
  });
}

/** The bin that holds the rank, and the rank among the bin's own. */
function binOf(counts: Uint32Array, rank: number): { bin: number; inside: number } {
  let inside = rank;
  let bin = 0;
  while (inside >= counts[bin]!) inside -= counts[bin++]!;
  return { bin, inside };
}
