/** Payment cards: prefix and length of a network, and Luhn's check digit. */
import { luhn } from './check-digits.ts';
import { holds } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

/** Visa, Mastercard, American Express, Diners Club, Discover, JCB, UnionPay, Maestro: the ranges that their own test numbers and ISO/IEC 7812's registry show. */
const networks =
  /^(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:5018|5020|5038|6304|6759|6761|6763)\d{8,15})$/;
const grouped = /^\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}$|^\d{4}([ -])\d{6}\2\d{4,5}$|^\d{13,19}$/;

export function isCard(value: string): boolean {
  const digits = value.replaceAll(/[ -]/g, '');
  return grouped.test(value) && networks.test(digits) && luhn(digits) && !/^(\d)\1+$/.test(digits);
}

export const card: PersonalDetector = {
  kind: 'card',
  isColumn: (column) => holds(column, isCard, { named: /_(card|credit_?card|cc|pan|kreditkarte|carte|tarjeta)_/, chance: 0.05 }),
  inText: { pattern: /(?<![\p{L}\d.,-])\d{4}[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{1,7})?(?![\p{L}\d-]|[.,]\d)/gu, test: isCard, chance: 0.1 },
};
