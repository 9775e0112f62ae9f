/** Personal data: the detectors, and what they have in common. A new kind is a new file and a line in the list. */
import type { PersonalKind } from '../report.ts';
import { account } from './account.ts';
import { card } from './card.ts';
import { email } from './email.ts';
import { ipAddress } from './ip-address.ts';
import { nationalIds } from './national-id.ts';
import { personName } from './person-name.ts';
import { phone } from './phone.ts';

/** Values of a column, each of them once, trimmed; and the column's name as words: `_first_name_`. */
export interface ColumnSample {
  words: string;
  values: string[];
  /** Numbers have lost their leading zeros. */
  isNumber: boolean;
}

export interface PersonalDetector {
  kind: PersonalKind;
  /** Whether the column holds this kind, cell by cell. */
  isColumn(column: ColumnSample): boolean;
  /** How it is found inside longer text; `pattern` is global. Where `chance` is told, other numbers pass the test that often. */
  inText?: { pattern: RegExp; test?: (match: string) => boolean; chance?: number };
}

/** In this order: a value of two kinds is of the first. */
export const personalDetectors: readonly PersonalDetector[] = [email, account, card, ...nationalIds, ipAddress, phone, personName];

/** Text without these, wherever they stand, holds nothing that `inText` finds: an @, six digits, or an address in hexadecimal. For JS and RE2 alike. */
export const mayBePersonal = '@|([0-9][^0-9]*){6}';

/** The kind of a column whose values are all of one kind. */
export const kindOf = (column: ColumnSample): PersonalKind | undefined =>
  column.values.length === 0 ? undefined : personalDetectors.find((detector) => detector.isColumn(column))?.kind;

/** The detectors that find more in these texts than chance would: a column of numbers of which one in ten passes a check digit has none. */
export function textDetectors(values: Iterable<string>): PersonalDetector[] {
  const seen = new Map(personalDetectors.map((detector) => [detector, { candidates: 0, passed: 0 }]));
  for (const value of values) {
    for (const [{ inText }, counts] of seen) {
      for (const [match] of inText === undefined ? [] : value.matchAll(inText.pattern)) {
        counts.candidates++;
        if (inText?.test?.(match) ?? true) counts.passed++;
      }
    }
  }
  return [...seen]
    .filter(
      ([{ inText }, { candidates, passed }]) => passed > 0 && (inText?.chance === undefined || passed > 3 * inText.chance * candidates),
    )
    .map(([detector]) => detector);
}

/** The text with what the detectors find in it replaced by its kind in brackets. */
export function mask(text: string, detectors: readonly PersonalDetector[] = personalDetectors): string {
  if (!maybe.test(text)) return text;
  return detectors.reduce(
    (masked, { kind, inText }) =>
      inText === undefined ? masked : masked.replaceAll(inText.pattern, (match) => ((inText.test?.(match) ?? true) ? `[${kind}]` : match)),
    text,
  );
}

const maybe = new RegExp(mayBePersonal);
