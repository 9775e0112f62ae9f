/** The powers of five and ten that the kernel reads numbers with (kernel/assembly/number.ts). */

const largestFive = 55n;
const largestTen = 22;
const ones = (1n << 128n) - 1n;

/** Down to this power, a reciprocal's 128 bits are rounded up, so that quotients without remainder show; those of smaller ones are cut off. */
const leastRoundedUp = -27n;

/** 5^-55 … 5^55 without their exponents: the first 128 bits, low half first. */
export function powersOfFive(): BigUint64Array {
  const powers: bigint[] = [];
  for (let exponent = -largestFive; exponent <= largestFive; exponent++) {
    const power = 5n ** (exponent < 0n ? -exponent : exponent);
    const bits = BigInt(power.toString(2).length);
    const first =
      exponent >= 0n
        ? power << 128n
        : exponent >= leastRoundedUp
          ? (1n << (bits + 127n)) / power + 1n
          : (1n << (2n * bits + 128n)) / power + 1n;
    const head = first >> (BigInt(first.toString(2).length) - 128n);
    powers.push(head & 0xffff_ffff_ffff_ffffn, (head & ones) >> 64n);
  }
  return BigUint64Array.from(powers);
}

/** 10^0 … 10^22: those that a double holds exactly. */
export const powersOfTen = () => Float64Array.from({ length: largestTen + 1 }, (_, exponent) => Number(`1e${exponent}`));
