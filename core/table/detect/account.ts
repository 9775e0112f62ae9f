/** Bank accounts: IBAN (ISO 13616) with its length by country and remainder by 97; US routing and plain account numbers where a column is called so. */
import { mod97, weighted } from './check-digits.ts';
import { holds, shareOf } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

/** Length of an IBAN by country, from SWIFT's IBAN registry. */
const lengths: Record<string, number> = Object.fromEntries(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28
  HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29
  RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

export function isIban(value: string): boolean {
  const plain = value.replaceAll(/[ -]/g, '').toUpperCase();
  return (
    /^[A-Z]{2}\d{2}[A-Z\d]+$/.test(plain) && lengths[plain.slice(0, 2)] === plain.length && mod97(plain.slice(4) + plain.slice(0, 4)) === 1
  );
}

/** American Bankers Association: nine digits, weights 3, 7, 1. */
export const isRouting = (value: string) =>
  /^(0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}$/.test(value) && weighted(value, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0;

const routingName = /_(routing|aba|rtn)_/;
const accountName = /_((bank_)?(account|acct|konto)_?(no|nr|num|number|nummer)|kontonummer|numero_(de_)?(compte|cuenta)|bank_account)_/;

export const account: PersonalDetector = {
  kind: 'account',
  isColumn: ({ words, values, isNumber }) =>
    holds({ words, values }, isIban, { named: /_iban_/, chance: 0.001 }) ||
    (routingName.test(words) && shareOf(values, (value) => isRouting(isNumber ? value.padStart(9, '0') : value)) >= 0.5) ||
    (accountName.test(words) && shareOf(values, (value) => /^\d(?:[ -]?\d){5,16}$/.test(value)) >= 0.8),
  inText: { pattern: /(?<![\p{L}\d])[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]){11,30}(?![\p{L}\d])/gu, test: isIban },
};
