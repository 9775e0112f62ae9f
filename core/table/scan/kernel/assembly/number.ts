/**
 * Decimal text to the nearest double: by one exact multiplication or division where that is enough (Clinger 1990), else by a product with a power of
 * five of 128 bits (Eisel and Lemire, in Lemire 2021, "Number parsing at a gigabyte per second").
 */

/** Powers of five 5^-largest … 5^largest, of 128 bits each, and powers of ten as doubles; written by JavaScript (powers.ts). */
export let fives: usize = 0;
export let tens: usize = 0;
const LARGEST: i32 = 55;
/** What stands for text that is no number written as here, or one that takes more care. */
const NONE: f64 = NaN;

export function setPowers(ofFive: usize, ofTen: usize): void {
  fives = ofFive;
  tens = ofTen;
}

/** [-]digits[.digits][e[+-]digits] in `length` bytes, or NaN: for what is written otherwise, has more than 19 digits, or is out of the tables' range. */
export function parse(at: usize, length: i32): f64 {
  const end = at + length;
  const isNegative = load<u8>(at) == 45;
  if (isNegative) at++;
  let digits: u64 = 0;
  let start = at;
  let digit: u32 = 0;
  while (at < end && (digit = <u32>load<u8>(at) - 48) <= 9) {
    digits = digits * 10 + digit;
    at++;
  }
  let count = <i32>(at - start);
  if (count == 0) return NONE;
  let exponent: i32 = 0;
  if (at < end && load<u8>(at) == 46) {
    start = ++at;
    while (at < end && (digit = <u32>load<u8>(at) - 48) <= 9) {
      digits = digits * 10 + digit;
      at++;
    }
    exponent = <i32>(start - at);
    if (exponent == 0) return NONE;
    count -= exponent;
  }
  if (count > 19) return NONE;
  if (at < end) {
    if ((load<u8>(at) | 32) != 101) return NONE;
    at++;
    let isBelow = false;
    if (at < end && (load<u8>(at) == 45 || load<u8>(at) == 43)) {
      isBelow = load<u8>(at) == 45;
      at++;
    }
    const left = end - at;
    if (left < 1 || left > 3) return NONE;
    let power: i32 = 0;
    while (at < end) {
      digit = <u32>load<u8>(at) - 48;
      if (digit > 9) return NONE;
      power = power * 10 + digit;
      at++;
    }
    exponent += isBelow ? -power : power;
  }
  const value = nearest(digits, exponent);
  return isNegative ? -value : value;
}

function nearest(digits: u64, exponent: i32): f64 {
  if (digits < 1 << 53 && exponent >= -22 && exponent <= 22) {
    const whole = <f64>digits;
    return exponent < 0 ? whole / load<f64>(tens - (exponent << 3)) : whole * load<f64>(tens + (exponent << 3));
  }
  if (digits == 0) return 0;
  if (exponent < -LARGEST || exponent > LARGEST) return NONE;
  const zeros = clz(digits);
  const scaled = digits << zeros;
  const five = fives + ((exponent + LARGEST) << 4);
  multiply(scaled, load<u64>(five, 8));
  let high = productHigh;
  let low = productLow;
  if ((high & 0x1ff) == 0x1ff) {
    multiply(scaled, load<u64>(five));
    low += productHigh;
    if (low < productHigh) high++;
  }
  if (low == 0xffff_ffff_ffff_ffff && (exponent < -27 || exponent > 55)) return NONE;
  const upper = high >> 63;
  const shift = upper + 9;
  let mantissa = high >> shift;
  let power = ((217706 * exponent) >> 16) + 63 + <i32>upper - <i32>zeros + 1023;
  if (power <= 0) return NONE;
  // Exactly between two doubles: to the even one.
  if (low <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 && mantissa << shift == high) mantissa &= ~(<u64>1);
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= 1 << 53) {
    mantissa = 1 << 52;
    power++;
  }
  if (power >= 0x7ff) return NONE;
  return reinterpret<f64>((mantissa & ~(<u64>1 << 52)) | (<u64>power << 52));
}

let productHigh: u64 = 0;
let productLow: u64 = 0;

function multiply(a: u64, b: u64): void {
  const aLow = a & 0xffff_ffff;
  const bLow = b & 0xffff_ffff;
  const aHigh = a >> 32;
  const bHigh = b >> 32;
  const lows = aLow * bLow;
  const middle = aHigh * bLow + (lows >> 32);
  const other = aLow * bHigh + (middle & 0xffff_ffff);
  productHigh = aHigh * bHigh + (middle >> 32) + (other >> 32);
  productLow = (other << 32) | (lows & 0xffff_ffff);
}
