/** The same as core/random.ts. */
// @ts-ignore: decorator
@inline
export function mix32(seed: u32, value: u32): u32 {
  let h = seed ^ (value * 0x9e3779b1);
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Maps a hash to [0, bound) without division (Lemire 2019, without the rejection: the bias is below bound / 2^32). */
// @ts-ignore: decorator
@inline
export function below(hash: u32, bound: u32): u32 {
  return <u32>((<u64>hash * bound) >> 32);
}
