/** National identity and tax numbers, with their check digits where they have any. A country more is a line more. */
import { mod11and10, mod97, verhoeff, weighted } from './check-digits.ts';
import { holds } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';

interface NationalId {
  country: string;
  named: RegExp;
  /** As it is written; checked with what stands between the characters left out, in upper case. */
  form: RegExp;
  check: (plain: string) => boolean;
  /** How often another string of this form passes. */
  chance: number;
  /** Digits in a column of numbers, which lost its leading zeros. */
  digits?: number;
  /** Whether the bare form says nothing without a name, or inside text. */
  bareForm?: RegExp;
  inText?: RegExp;
}

const isSsn = (plain: string) => /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(plain);
const isNino = (plain: string) => /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?$/.test(plain);

/** Steuer-Identifikationsnummer: of the first ten digits one stands twice or thrice, the others once at most. */
function isSteuerId(plain: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of plain.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return plain[0] !== '0' && repeated.length === 1 && repeated[0]! <= 3 && mod11and10(plain);
}

/** Numéro de sécurité sociale: sex, year, month, place, number, and the key 97 − n mod 97; Corsica's 2A and 2B count as 19 and 18. */
const isInsee = (plain: string) =>
  /^[1-478]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2A|2B)\d{8}$/.test(plain) &&
  97 -
    mod97(
      plain
        .slice(0, 13)
        .replace(/^(.{5})2A/, '$119')
        .replace(/^(.{5})2B/, '$118'),
    ) ===
    Number(plain.slice(13));

const isDni = (plain: string) =>
  'TRWAGMYFPDXBNJZSQVHLCKE'[Number(plain.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2')) % 23] === plain.at(-1);

const oddValues = '1,0,5,7,9,13,15,17,19,21'.split(',').map(Number);
const oddLetters = '1,0,5,7,9,13,15,17,19,21,2,4,18,20,11,3,6,8,12,14,16,10,22,25,24,23'.split(',').map(Number);
/** Codice fiscale: characters in odd places by a table, in even places by themselves, modulo 26. */
function isCodiceFiscale(plain: string): boolean {
  let sum = 0;
  for (let place = 0; place < 15; place++) {
    const code = plain.charCodeAt(place);
    const isDigit = code < 65;
    const value = isDigit ? code - 48 : code - 65;
    sum += place % 2 === 1 ? value : isDigit ? oddValues[value]! : oddLetters[value]!;
  }
  return plain.charCodeAt(15) - 65 === sum % 26;
}

/** Burgerservicenummer: the eleven test, the last digit counted negatively. */
const isBsn = (plain: string) => plain !== '000000000' && weighted(plain, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;

/** CPF: two check digits, modulo 11. */
function isCpf(plain: string): boolean {
  const check = (length: number) =>
    ((10 *
      weighted(
        plain,
        Array.from({ length }, (_, i) => length + 1 - i),
      )) %
      11) %
    10;
  return !/^(\d)\1+$/.test(plain) && check(9) === Number(plain[9]) && check(10) === Number(plain[10]);
}

const list: NationalId[] = [
  {
    country: 'US',
    named: /_(ssn|social_security(_(no|number))?|socialsecurity(number)?)_/,
    form: /^\d{3}-\d{2}-\d{4}$/,
    bareForm: /^\d{9}$|^\d{3} \d{2} \d{4}$/,
    check: isSsn,
    chance: 0.1,
    digits: 9,
    inText: /\d{3}-\d{2}-\d{4}/,
  },
  {
    country: 'UK',
    named: /_(nino|ni_(no|number)|national_insurance(_(no|number))?)_/,
    form: /^[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]$/i,
    check: isNino,
    chance: 0.1,
    inText: /[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]/,
  },
  {
    country: 'DE',
    named: /_(steuer_?(id|nummer|identifikationsnummer)|tin|idnr|tax_id)_/,
    form: /^\d{2} ?\d{3} ?\d{3} ?\d{3}$/,
    check: isSteuerId,
    chance: 0.05,
    digits: 11,
    inText: /\d{2} \d{3} \d{3} \d{3}/,
  },
  {
    country: 'FR',
    named: /_(insee|nir|(numero_)?securite_sociale|secu)_/,
    form: /^[1-478] ?\d{2} ?\d{2} ?(\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}$/i,
    check: isInsee,
    chance: 0.01,
    inText: /[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}/,
  },
  {
    country: 'ES',
    named: /_(dni|nie|nif|documento)_/,
    form: /^(\d{8}|[XYZ]-?\d{7})[ -]?[A-Z]$/i,
    check: isDni,
    chance: 0.05,
    inText: /(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]/,
  },
  {
    country: 'IT',
    named: /_(codice_?fiscale|cf)_/,
    form: /^[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPR-T][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]$/i,
    check: isCodiceFiscale,
    chance: 0.01,
    inText: /[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]/,
  },
  {
    country: 'NL',
    named: /_(bsn|burgerservicenummer|sofinummer)_/,
    form: /^\d{9}$|^\d{4}\.\d{2}\.\d{3}$/,
    check: isBsn,
    chance: 0.1,
    digits: 9,
  },
  {
    country: 'BR',
    named: /_cpf_/,
    form: /^\d{3}\.?\d{3}\.?\d{3}-?\d{2}$/,
    check: isCpf,
    chance: 0.01,
    digits: 11,
    inText: /\d{3}\.\d{3}\.\d{3}-\d{2}/,
  },
  {
    country: 'IN',
    named: /_(aadhaar|aadhar|uidai?)_/,
    form: /^[2-9]\d{3}([ -]?)\d{4}\1\d{4}$/,
    check: verhoeff,
    chance: 0.1,
    digits: 12,
    inText: /[2-9]\d{3} \d{4} \d{4}/,
  },
];

const plainOf = (value: string) => value.replaceAll(/[ .-]/g, '').toUpperCase();

export const nationalIds: PersonalDetector[] = list.map(({ named, form, bareForm, check, chance, digits, inText }) => ({
  kind: 'national id',
  isColumn: ({ words, values, isNumber }) => {
    const isNamed = named.test(words);
    const isForm = (value: string) => form.test(value) || (isNamed && bareForm?.test(value) === true);
    const padded = (value: string) => (isNumber && digits !== undefined ? value.padStart(digits, '0') : value);
    return holds({ words, values }, (value) => isForm(padded(value)) && check(plainOf(padded(value))), { named, chance });
  },
  ...(inText && {
    inText: {
      pattern: new RegExp(`(?<![\\p{L}\\d.,-]|\\d )(?:${inText.source})(?![\\p{L}\\d-]|[., ]\\d)`, 'gu'),
      test: (match: string) => check(plainOf(match)),
      chance,
    },
  }),
}));
