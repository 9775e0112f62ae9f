/**
 * Dates: calendar fields as they are written (an hour is the hour of the place that wrote it), and the days since the train rows' first moment,
 * which heeds the zone. Whole seconds; a text that is none of the column's format is missing.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn, NumberColumn } from '../table/frame.ts';
import { civilFromDays, daysFromCivil, type Moment } from './civil.ts';
import { type DateFormat, fractionOf, isEpoch, matcherOf, monthNames, pivotYear, writtenDate } from './date-formats.ts';
import { dateToOnnx } from './date-onnx.ts';
import { type DatePart, dateParts, type FittedDate, secondsADay, yearCosines, yearSines } from './date-parts.ts';
import type { Derivation } from './derivation.ts';

const partNames: Record<DatePart, string> = {
  elapsed: 'days since the first',
  year: 'year',
  month: 'month',
  day: 'day',
  weekday: 'weekday',
  hour: 'hour',
  yearSine: 'time of year, sine',
  yearCosine: 'time of year, cosine',
};

/** @param column the train rows' */
export function fitDate(column: CategoryColumn, format: DateFormat): Pick<FittedDate, 'format' | 'reference' | 'parts'> {
  const moments = momentsOf(column.dictionary, format);
  const seen = new Set(column.codes);
  const known = moments.filter((moment, code) => moment !== undefined && seen.has(code)) as Moment[];
  const reference = known.reduce((first, moment) => Math.min(first, instantOf(moment)), Infinity);
  const varies = (part: DatePart) => known.some((moment) => partOf(moment, part, 0) !== partOf(known[0]!, part, 0));
  return { format, reference: Number.isFinite(reference) ? reference : 0, parts: dateParts.filter(varies) };
}

export const dates: Derivation<FittedDate> = {
  names: ({ name, parts }) => parts.map((part) => `${name}: ${partNames[part]}`),

  derive({ format, reference, parts }, { codes, dictionary }) {
    const moments = momentsOf(dictionary, format);
    return parts.map((part) => {
      const ofEntry = Float32Array.from(moments, (moment) => (moment === undefined ? Number.NaN : partOf(moment, part, reference)));
      return Float32Array.from(codes, (code) => (code < 0 ? Number.NaN : ofEntry[code]!));
    });
  },

  toOnnx: (graph: GraphBuilder, fitted, input) => dateToOnnx(graph, fitted, input),

  probes: ({ format }) => probesOf(format),
};

/** Of each row the seconds since 1970, as numbers that sort as the moments follow each other; NaN where it is missing. */
export function instantsOf({ name, codes, dictionary }: CategoryColumn, format: DateFormat): NumberColumn {
  const ofEntry = momentsOf(dictionary, format).map((moment) => (moment === undefined ? Number.NaN : instantOf(moment)));
  return { type: 'number', name, values: Float64Array.from(codes, (code) => (code < 0 ? Number.NaN : ofEntry[code]!)) };
}

const instantOf = ({ days, second, offset }: Moment) => days * secondsADay + second - offset;

function partOf(moment: Moment, part: DatePart, reference: number): number {
  if (part === 'elapsed') return Math.fround((instantOf(moment) - reference) / secondsADay);
  // 1970-01-01 was a Thursday; Monday is 0.
  if (part === 'weekday') return (((moment.days + 3) % 7) + 7) % 7;
  if (part === 'hour') return Math.floor(moment.second / 3600);
  if (part === 'yearSine' || part === 'yearCosine')
    return (part === 'yearSine' ? yearSines : yearCosines)[moment.days - daysFromCivil(moment.year, 1, 1)]!;
  return moment[part];
}

function momentsOf(texts: readonly string[], format: DateFormat): (Moment | undefined)[] {
  const matcher = matcherOf(format);
  return texts.map((text) => (matcher.test(text) ? readMoment(text, format) : undefined));
}

/** @param text one that the format's pattern matches */
function readMoment(text: string, format: DateFormat): Moment {
  if (isEpoch(format)) {
    const count = text.trim().split('.', 1)[0]!;
    const seconds = Number(count.slice(0, Math.max(0, count.length - fractionOf(format))));
    const days = Math.floor(seconds / secondsADay);
    return { days, second: seconds - days * secondsADay, offset: 0, ...civilFromDays(days) };
  }
  const { order, separator, hasShortYear, hasMonthName, hasWeekday, isHalfDay } = writtenDate(format);
  if (separator === '') {
    const number = Number(text);
    const [year, month, day] = [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100];
    return { days: daysFromCivil(year, month, day), second: 0, offset: 0, year, month, day };
  }
  const parts = text.match(/[0-9]+|[A-Za-z]{3,}/g)!.slice(hasWeekday ? 1 : 0);
  const [written, named, ofMonth] = (['Y', 'M', 'D'] as const).map((part) => parts[order.indexOf(part)]);
  const year = Number(written) + (hasShortYear ? (Number(written) < pivotYear ? 2000 : 1900) : 0);
  const month = hasMonthName ? monthNames.get(named!)! : Number(named);
  const day = ofMonth === undefined ? 1 : Number(ofMonth);
  const time = /([0-9]+):([0-9]+)(?::([0-9]+))?[^+Z-]*(?:([+-])([0-9]{2}):?([0-9]{2})?)?/.exec(text);
  const [hour, minute, second, zoneHour, zoneMinute] = [1, 2, 3, 5, 6].map((group) => Number(time?.[group] ?? 0));
  const ofDay = isHalfDay && time ? (hour! % 12) + (/[Pp][Mm]/.test(time[0]) ? 12 : 0) : hour!;
  return {
    days: daysFromCivil(year, month, day),
    second: ofDay * 3600 + minute! * 60 + second!,
    offset: (time?.[4] === '-' ? -1 : 1) * (zoneHour! * 3600 + zoneMinute! * 60),
    year,
    month,
    day,
  };
}

/** Texts at which a reader may go wrong. */
function probesOf(format: DateFormat): string[] {
  if (isEpoch(format)) {
    const counts = ['0', '86399', '951782400', '1709251199', '99999999999'].map((count) => count + '9'.repeat(fractionOf(format)));
    return [...counts, ' 1709164800 ', '951782400.5', '999999999999999999', '9223372036854775808', '-1', '1e9', ''];
  }
  const { separator, hasTime, hasMonthName, hasWeekday, isHalfDay } = writtenDate(format);
  const dates = [
    [1970, 1, 1],
    [2000, 2, 29],
    [1900, 2, 29],
    [2023, 2, 29],
    [2024, 12, 31],
    [2023, 12, 31],
    [1000, 3, 1],
    [9999, 12, 31],
    [1968, 5, 7],
    [1969, 9, 7],
    [2026, 13, 7],
    [2026, 7, 13],
  ].map(([year, month, day]) => writeDate(format, year!, month!, day!));
  if (separator === '') return [...dates, ' 20200102 ', '2020010', ''];
  if (!hasTime) return [...dates, `${dates[0]} 00:00`, ` ${dates[0]} `, ''];
  const whole = ['', 'T00:00', ' 23:59:59', 'T7:05:09.123Z', '  12:00 +05:30', 'T12:00:00-0830', ' 1:00-00', ' 1:00 UTC', ' 1:00GMT'];
  const half = ['', ' 12:00 AM', ' 12:59:59pm', '  1:05:09.5 PM Z', ' 11:00am +05:30', ' 01:00 AM-0830', ' 1:00 Pm', ' 0:30 AM', ' 9:00'];
  const times = [...(isHalfDay ? half : whole), 'T24:00', ' 12:60', ' 13:00 PM'];
  const named = hasMonthName ? ['upper', 'lower'].map((to) => (to === 'upper' ? dates[4]!.toUpperCase() : dates[4]!.toLowerCase())) : [];
  const days = hasWeekday ? [dates[0]!.replace(',', ''), dates[0]!.replace('Thu', 'Thursday'), dates[0]!.slice(5)] : [];
  return [...dates.flatMap((date) => times.map((time) => date + time)), ...named, ...days, `  ${dates[0]}  `, ''];
}

/** A day in the format; of one that doesn't exist something like it. */
export function writeDate(format: DateFormat, year: number, month: number, day: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const [name] = [...monthNames].find(([spelling, of]) => of === month && spelling.length === 3) ?? ['Foo'];
  return format
    .replace(' AM/PM', '')
    .replace(/M+/, (part) => (part === 'MMM' ? name : two(month)))
    .replace('YYYY', String(year).padStart(4, '0'))
    .replace('YY', two(year % 100))
    .replace('DD', two(day))
    .replace('EEE', 'Thu');
}
