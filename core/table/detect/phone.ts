/** Telephone numbers: international (E.164), and the common national ways to write them. */
import { holds } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

const extension = String.raw`(?: ?(?:x|ext\.?|#) ?\d{1,6})?`;
const international = String.raw`(?:\+|00(?=[1-9]))[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}`;
/** North America: area code and exchange begin with 2 to 9. */
const american = String.raw`(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d([ .-]))[2-9]\d\d[ .-]\d{4}`;
/** With the trunk prefix 0, the area code apart or in brackets: Britain, Germany, France, Italy, Japan, Australia … */
const trunk = String.raw`\(0\d{1,5}\)[ /-]?\d{2,5}(?:[ -]?\d{2,5}){0,4}|0[1-9]\d{0,4}(?:[ /.-]\d{2,8}){1,4}`;
const brazil = String.raw`\([1-9]\d\) ?9?\d{4}-\d{4}`;
const strict = `(?:${international}|${american}|${trunk}|${brazil})${extension}`;
const whole = new RegExp(`^(?:tel:)?${strict}$`, 'i');
/** Digits and what stands between them: enough only where the column is called so. */
const loose = /^\+?[\d ()./-]{6,24}(?: ?(?:x|ext\.?) ?\d{1,6})?$/i;

/** 01.02.2024, 01-02-24, 0.5, 2024-01-02, 10:30 … are no telephone numbers, and ISBNs are none either. */
const isOther = (value: string) =>
  /^\d{1,2}[./-]\d{1,2}[./-](\d{2}|\d{4})(?!\d)/.test(value) ||
  /^\d{4}[./-]\d{1,2}[./-]\d{1,2}(?!\d)/.test(value) ||
  /^0\d*\.\d+$/.test(value) ||
  isIsbn(value);

/** ISBN-10: weights 10 to 1, remainder by 11. */
function isIsbn(value: string): boolean {
  const digits = value.replaceAll('-', '');
  return (
    /^\d{10}$/.test(digits) &&
    value.split('-').length === 4 &&
    Array.from(digits).reduce((sum, digit, i) => sum + (10 - i) * Number(digit), 0) % 11 === 0
  );
}

const digitCount = (value: string) => value.replace(/(x|ext\.?|#) ?\d+$/i, '').replaceAll(/\D/g, '').length;

export function isPhone(value: string): boolean {
  const digits = digitCount(value);
  return whole.test(value) && digits >= (/^(\+|00)/.test(value) ? 8 : 9) && digits <= 15 && !isOther(value);
}

const named =
  /_(phone|phones|telephone|tel|mobile|cell|cellphone|handy|fax|telefon\w*|telefone|telefono|portable|gsm|msisdn|whatsapp|rufnummer|celular|movil)_/;
/** Counts and prices of telephones. */
const notNamed = /_(price|count|minutes|usage|model|brand|service|sales|cost|charges?|lines|data|plan|calls)_/;

export const phone: PersonalDetector = {
  kind: 'phone',
  isColumn: ({ words, values, isNumber }) => {
    const isNamed = named.test(words) && !notNamed.test(words);
    const test = isNamed
      ? (value: string) => loose.test(value) && digitCount(value) >= (isNumber ? 8 : 7) && digitCount(value) <= 15 && !isOther(value)
      : isPhone;
    return holds({ words: isNamed ? words : '', values }, test, { named, chance: 0.05 });
  },
  inText: {
    pattern: new RegExp(`(?<![\\p{L}\\d+.,/:-]|\\d )(?!00\\d+(?![\\d ./-]))${strict}(?![\\p{L}\\d/:-]|[.,]\\d)`, 'giu'),
    test: isPhone,
  },
};
