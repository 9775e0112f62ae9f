/** Personal data: the detectors, and what they have in common. A new kind is a new file and a line in the list. */
import type { PersonalKind } from '../report.ts';
import { account } from './account.ts';
import { card } from './card.ts';
import type { ColumnSample, PersonalDetector } from './detector.ts';
import { email } from './email.ts';
import { ipAddress } from './ip-address.ts';
import { nationalIds } from './national-id.ts';
import { personName } from './person-name.ts';
import { phone } from './phone.ts';

/** In this order: a value of two kinds is of the first. */
export const personalDetectors: readonly PersonalDetector[] = [email, account, card, ...nationalIds, ipAddress, phone, personName];

/** Text without these, wherever they stand, holds nothing that `inText` finds: an @, six digits, or an address in hexadecimal. For JS and RE2 alike. */
export const mayBePersonal = '@|([0-9][^0-9]*){6}';

/** The kind of a column whose values are all of one kind. */
export const kindOf = (column: ColumnSample): PersonalKind | undefined =>
  column.values.length === 0 ? undefined : personalDetectors.find((detector) => detector.isColumn(column))?.kind;

/** What finds personal data inside the texts of a column. */
export interface TextFinder extends Pick<PersonalDetector, 'kind' | 'inText'> {
  /** Whether also in values without any letter: a column of numbers written in groups has some that look like a telephone number. */
  inCodes: boolean;
}

/** The detectors that find more in these texts than chance would: a column of numbers of which one in ten passes a check digit has none. */
export function textFinders(values: Iterable<string>): TextFinder[] {
  const counts = personalDetectors.map(() => ({ candidates: 0, passed: 0, inWords: 0, inCodes: 0 }));
  let codes = 0;
  for (const value of values) {
    const isCode = !letter.test(value);
    if (isCode) codes++;
    for (const [index, { inText }] of personalDetectors.entries()) {
      if (inText === undefined) continue;
      const count = counts[index]!;
      let found = false;
      for (const [match] of value.matchAll(inText.pattern)) {
        const passes = inText.test?.(match) ?? true;
        count.candidates++;
        if (passes) count.passed++;
        found ||= passes;
      }
      if (found && isCode) count.inCodes++;
      else if (found) count.inWords++;
    }
  }
  return personalDetectors.flatMap(({ kind, inText }, index) => {
    const { candidates, passed, inWords, inCodes } = counts[index]!;
    if (inText === undefined || (inText.chance !== undefined && passed <= 3 * inText.chance * candidates)) return [];
    const mostCodes = inCodes > 0 && inCodes >= codes / 2;
    return inWords > 0 || mostCodes ? [{ kind, inText, inCodes: mostCodes }] : [];
  });
}

const letter = /\p{L}/u;
const everywhere: readonly TextFinder[] = personalDetectors.map((detector) => ({ ...detector, inCodes: true }));

/** The text with what is found in it replaced by its kind in brackets. */
export function mask(text: string, finders: readonly TextFinder[] = everywhere): string {
  if (!maybe.test(text)) return text;
  const isCode = !letter.test(text);
  return finders.reduce(
    (masked, { kind, inText, inCodes }) =>
      inText === undefined || (isCode && !inCodes)
        ? masked
        : masked.replaceAll(inText.pattern, (match) => ((inText.test?.(match) ?? true) ? `[${kind}]` : match)),
    text,
  );
}

const maybe = new RegExp(mayBePersonal);
