/** Whether text looks like dates, and in which of the formats: from the first rows, which the look at every cell confirms or sends back. */
import { type DateFormat, dateFormats, fractionOf, isEpoch, matcherOf, swapped, writtenDate } from '../features/date-formats.ts';

export interface DateForm {
  as: 'date';
  format: DateFormat;
  /** Whether day and month may as well be the other way round, as no day seen is beyond the twelfth. */
  ambiguous?: boolean;
}

/** Columns of whole numbers so called may be seconds, or thousandths, millionths or billionths of them, since 1970, */
const epochName = /epoch|unix|time_?stamp|(^|[^a-z])ts($|[^a-z])|_at$|[a-z]At$|time$|date$/i;
/** where all of them are seconds between 1973 and 2103: fewer digits are some other number. */
const epochSeconds = { from: 1e8, to: 4.2e9 };
/** Eight digits are a day where all are of these years. */
const compactYears = /^ *(19|20|21)/;
/** A format that none of the first values is in is not asked for. */
const firstValues = 50;
/** So few values say nothing. */
const fewestValues = 3;

const matchers = new Map(dateFormats.map((format) => [format, matcherOf(format)]));

/**
 * @param values some that are not missing; @param share how many of them must be in one format; @param dayFirst what dataset.json says
 * @returns the format of most; of two that read each value alike, the one with the month first
 */
export function guessDate(name: string, values: readonly string[], share: number, dayFirst?: boolean): DateForm | undefined {
  if (values.length < fewestValues) return undefined;
  let best: { format: DateFormat; count: number } | undefined;
  for (const [format, matcher] of matchers) {
    if (dayFirst !== undefined && swapped(format) !== undefined && format.startsWith('DD') !== dayFirst) continue;
    if (!values.slice(0, firstValues).some((value) => matcher.test(value))) continue;
    const count = values.filter((value) => matcher.test(value) && isPlausible(name, value, format)).length;
    if (count >= share * values.length && count > (best?.count ?? 0)) best = { format, count };
  }
  if (best === undefined) return undefined;
  const { format } = best;
  if (mayBeElse(format) && best.count < values.length) return undefined;
  return { as: 'date', format, ...(dayFirst === undefined && readsAlike(format, values) && { ambiguous: true }) };
}

/** Whether what looks like it may as well be no date: then all of the values have to. */
function mayBeElse(format: DateFormat): boolean {
  if (isEpoch(format) || format === 'YYYYMMDD') return true;
  const { hasShortYear, hasTime, hasMonthName } = writtenDate(format);
  return !hasMonthName && (hasShortYear || !hasTime);
}

function isPlausible(name: string, value: string, format: DateFormat): boolean {
  if (format === 'YYYYMMDD') return compactYears.test(value);
  if (!isEpoch(format)) return true;
  const seconds = Number(value) / 10 ** fractionOf(format);
  return epochName.test(name.trim()) && seconds >= epochSeconds.from && seconds <= epochSeconds.to;
}

/** Whether the format with day and month swapped reads each of the values that this one reads. */
export function readsAlike(format: DateFormat, values: readonly string[]): boolean {
  const other = swapped(format);
  return other !== undefined && values.every((value) => !matchers.get(format)!.test(value) || matchers.get(other)!.test(value));
}

/** The date form in which to look again, where the cells that this one can't read are better read with day and month swapped. */
export function betterDate({ format, ambiguous }: DateForm, unread: ReadonlyMap<string, number>): DateForm | undefined {
  const other = swapped(format);
  if (!ambiguous || other === undefined || ![...unread.keys()].some((value) => matchers.get(other)!.test(value))) return undefined;
  return { as: 'date', format: other };
}
