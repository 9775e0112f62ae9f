/** Ways to write a date, each a pattern that RE2 (DuckDB's and ONNX Runtime's) and JavaScript read alike: it matches days that exist, and no others. */

/** Year, month and day in the order of the name, with its separator between them; all but the last three may have a time of day behind them. */
export const dateFormats = [
  'YYYY-MM-DD',
  'YYYY/MM/DD',
  'YYYY.MM.DD',
  'DD.MM.YYYY',
  'MM/DD/YYYY',
  'DD/MM/YYYY',
  'MM-DD-YYYY',
  'DD-MM-YYYY',
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

/** What stands between year, month and day; nothing in YYYYMMDD. */
export const separatorOf = (format: DateFormat) => /[^A-Z]/.exec(format)?.[0] ?? '';

/** The format whose days are this one's months, where there is one. */
export function swapped(format: DateFormat): DateFormat | undefined {
  const other = format.startsWith('MM') ? `DD${format[2]}MM${format.slice(5)}` : `MM${format[2]}DD${format.slice(5)}`;
  return format.endsWith('YYYY') ? dateFormats.find((known) => known === other) : undefined;
}

const leapYear = '([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)';
const clock = '([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?';
const zone = '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)';

/** A pattern for the whole of a text: spaces around are allowed; days, months and hours may lack their leading zero where a separator tells them apart. */
export function patternOf(format: DateFormat): string {
  if (isEpoch(format)) return ` *${epochs[format]!.count}([.][0-9]{0,9})? *`;
  const separator = separatorOf(format);
  const zero = separator === '' ? '0' : '0?';
  const days: [year: string, month: string, day: string][] = [
    ['[1-9][0-9]{3}', `(${zero}[13578]|1[02])`, `(${zero}[1-9]|[12][0-9]|3[01])`],
    ['[1-9][0-9]{3}', `(${zero}[469]|11)`, `(${zero}[1-9]|[12][0-9]|30)`],
    ['[1-9][0-9]{3}', `${zero}2`, `(${zero}[1-9]|1[0-9]|2[0-8])`],
    [leapYear, `${zero}2`, '29'],
  ];
  const order = ['Y', 'M', 'D'].map((part) => format.indexOf(part));
  const date = days.map((parts) =>
    parts
      .map((part, i) => ({ part, place: order[i]! }))
      .sort((a, b) => a.place - b.place)
      .map(({ part }) => part)
      .join(separator === '' ? '' : `[${separator}]`),
  );
  return ` *(${date.join('|')})${separator === '' ? '' : `((T| +)${clock} *${zone}?)?`} *`;
}

/** Whether a text is a date, by a pattern as above. */
export const matcherOf = (format: DateFormat) => new RegExp(`^(?:${patternOf(format)})$`);
