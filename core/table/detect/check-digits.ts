/** Check digits: what tells a card, an account or an identity number from any other string of digits. Arguments are digits alone unless said otherwise. */

const digitsOf = (text: string) => Array.from(text, Number);

/** Luhn (ISO/IEC 7812-1): one random number in ten passes. */
export function luhn(digits: string): boolean {
  const sum = digitsOf(digits)
    .reverse()
    .reduce((total, digit, place) => total + (place % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0);
  return sum % 10 === 0;
}

/** The remainder by 97 of a number of any length, whose letters count as 10 (A) to 35 (Z), as ISO 7064 has it. */
export function mod97(text: string): number {
  let remainder = 0;
  for (const character of text.toUpperCase()) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}

/** ISO 7064 MOD 11,10, the check digit last. */
export function mod11and10(digits: string): boolean {
  let product = 10;
  for (const digit of digitsOf(digits.slice(0, -1))) {
    const sum = (digit + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** The sum of the digits, each by its weight. */
export const weighted = (digits: string, weights: readonly number[]) =>
  weights.reduce((sum, weight, place) => sum + weight * Number(digits[place]), 0);

const multiplication = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const permutation = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258'];

/** Verhoeff, Error Detecting Decimal Codes (1969): one random number in ten passes. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (const [place, digit] of digitsOf(digits).reverse().entries()) {
    check = Number(multiplication[check]![Number(permutation[place % 8]![digit])]);
  }
  return check === 0;
}
