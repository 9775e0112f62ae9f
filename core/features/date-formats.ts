/** Ways to write a date, each a pattern that RE2 (DuckDB's and ONNX Runtime's) and JavaScript read alike: it matches days that exist, and no others. */

/**
 * Year, month and day in the order of the name, with its separator between them. MMM is the English name of a month, in full or its first three letters;
 * EEE that of a day. All that have a day and a separator may have a time of day behind them, of 24 hours or, with AM/PM, of twelve.
 */
export const dateFormats = [
  'YYYY-MM-DD',
  'YYYY/MM/DD',
  'YYYY.MM.DD',
  'DD.MM.YYYY',
  'MM/DD/YYYY',
  'DD/MM/YYYY',
  'MM-DD-YYYY',
  'DD-MM-YYYY',
  'YYYY-MM-DD AM/PM',
  'MM/DD/YYYY AM/PM',
  'DD/MM/YYYY AM/PM',
  'DD MMM YYYY',
  'DD-MMM-YYYY',
  'MMM DD, YYYY',
  'EEE, DD MMM YYYY',
  'DD MMM YYYY AM/PM',
  'MMM DD, YYYY AM/PM',
  'DD.MM.YY',
  'MM/DD/YY',
  'DD/MM/YY',
  'MM-DD-YY',
  'DD-MM-YY',
  'DD-MMM-YY',
  'MM/DD/YY AM/PM',
  'DD/MM/YY AM/PM',
  'YYYY-MM',
  'MM/YYYY',
  'MMM YYYY',
  'MMM-YYYY',
  'MMM-YY',
  'YYYYMMDD',
  'epoch seconds',
  'epoch milliseconds',
  'epoch microseconds',
  'epoch nanoseconds',
] as const;

export type DateFormat = (typeof dateFormats)[number];

/** Counts since 1970: how many digits of them are fractions of a second, and a pattern for counts that an int64 holds. */
const epochs: Partial<Record<DateFormat, { fraction: number; count: string }>> = {
  'epoch seconds': { fraction: 0, count: '[0-9]{1,11}' },
  'epoch milliseconds': { fraction: 3, count: '[0-9]{1,14}' },
  'epoch microseconds': { fraction: 6, count: '[0-9]{1,17}' },
  'epoch nanoseconds': { fraction: 9, count: '([0-9]{1,18}|[1-8][0-9]{18})' },
};

export const isEpoch = (format: DateFormat) => epochs[format] !== undefined;

/** How many of the last digits of a count are fractions of a second. */
export const fractionOf = (format: DateFormat) => epochs[format]!.fraction;

/** How a format that is no count is written. */
export interface WrittenDate {
  /** Which of year, month and day there are, in their order. */
  order: ('Y' | 'M' | 'D')[];
  /** What stands between them: nothing in YYYYMMDD; where it is a space, there may be a comma before it. */
  separator: string;
  /** Years of two digits: 69 to 99 are of the last century, as POSIX has it. */
  hasShortYear: boolean;
  hasMonthName: boolean;
  hasWeekday: boolean;
  hasTime: boolean;
  /** Whether the time is of twelve hours. */
  isHalfDay: boolean;
}

export function writtenDate(format: DateFormat): WrittenDate {
  const [name, isHalfDay] = [format.replace(' AM/PM', ''), format.endsWith('AM/PM')];
  const order = [...name.matchAll(/(?:Y+|M+|D+)/g)].map(([part]) => part[0] as 'Y' | 'M' | 'D');
  const separator = /(?<=[YMD])[^A-Z]/.exec(name)?.[0] ?? '';
  return {
    order,
    separator,
    hasShortYear: !name.includes('YYYY'),
    hasMonthName: name.includes('MMM'),
    hasWeekday: name.startsWith('EEE'),
    hasTime: separator !== '' && order.includes('D'),
    isHalfDay,
  };
}

/** The first year of two digits that is of the last century. */
export const pivotYear = 69;

/** The format whose days are this one's months, where there is one. */
export function swapped(format: DateFormat): DateFormat | undefined {
  const other = format.replace(/^(MM|DD)([^A-Z])(MM|DD)/, '$3$2$1');
  return other === format ? undefined : dateFormats.find((known) => known === other);
}

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Spelling → month, from 1. */
export const monthNames = new Map(
  months.flatMap((name, month) =>
    [name, name.slice(0, 3), ...(name === 'September' ? ['Sept'] : [])].flatMap((spelling) =>
      [spelling, spelling.toUpperCase(), spelling.toLowerCase()].map((each): [string, number] => [each, month + 1]),
    ),
  ),
);
const namesOf = (...some: number[]) => `(${[...monthNames].flatMap(([name, month]) => (some.includes(month) ? [name] : [])).join('|')})`;

export const halfDays = ['AM', 'PM', 'am', 'pm'];

const leapYear = '([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)';
const shortLeapYear = '([02468][048]|[13579][26])';
const minutes = ':[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?';
const clocks = { whole: `([01]?[0-9]|2[0-3])${minutes}`, half: `(0?[1-9]|1[0-2])${minutes} *(${halfDays.join('|')})` };
const zone = '(Z|UTC|GMT|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)';

/** A pattern for the whole of a text: spaces around are allowed; days, months and hours may lack their leading zero where a separator tells them apart. */
export function patternOf(format: DateFormat): string {
  if (isEpoch(format)) return ` *${epochs[format]!.count}([.][0-9]{0,9})? *`;
  const { order, separator, hasShortYear, hasMonthName, hasWeekday, hasTime, isHalfDay } = writtenDate(format);
  const zero = separator === '' || !order.includes('D') ? '0' : '0?';
  const [year, leap] = hasShortYear ? ['[0-9]{2}', shortLeapYear] : ['[1-9][0-9]{3}', leapYear];
  const days: [year: string, month: string, day: string][] = [
    [year, hasMonthName ? namesOf(1, 3, 5, 7, 8, 10, 12) : `(${zero}[13578]|1[02])`, `(${zero}[1-9]|[12][0-9]|3[01])`],
    [year, hasMonthName ? namesOf(4, 6, 9, 11) : `(${zero}[469]|11)`, `(${zero}[1-9]|[12][0-9]|30)`],
    [year, hasMonthName ? namesOf(2) : `${zero}2`, `(${zero}[1-9]|1[0-9]|2[0-8])`],
    [leap, hasMonthName ? namesOf(2) : `${zero}2`, '29'],
  ];
  const between = separator === ' ' ? ',? +' : separator === '' ? '' : `[${separator}]`;
  const some = order.includes('D') ? days : days.slice(0, 3);
  const date = some.map(([y, m, d]) => order.map((part) => ({ Y: y, M: m, D: d })[part]).join(between));
  const weekday = hasWeekday ? `(${weekdays.flatMap((day) => [day, day.toUpperCase(), day.toLowerCase()]).join('|')})[A-Za-z]*,? +` : '';
  const before = hasMonthName ? ' +' : '(T| +)';
  const time = hasTime ? `(${before}${isHalfDay ? clocks.half : clocks.whole} *${zone}?)?` : '';
  return ` *${weekday}(${date.join('|')})${time} *`;
}

/** Whether a text is a date, by a pattern as above. */
export const matcherOf = (format: DateFormat) => new RegExp(`^(?:${patternOf(format)})$`);
