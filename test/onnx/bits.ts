/** The bits of float32 numbers, so that −0 is not 0 and NaN equals itself. */
export function bits(values: Float32Array): number[] {
  return [...new Uint32Array(values.slice().buffer)];
}
