import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { civilFromDays, daysFromCivil } from '../../core/features/civil.ts';
import { dates, fitDate, instantsOf, writeDate } from '../../core/features/date.ts';
import { type DateFormat, dateFormats, isEpoch, matcherOf, patternOf, writtenDate } from '../../core/features/date-formats.ts';
import { withDatabase } from '../../core/table/database.ts';
import type { CategoryColumn } from '../../core/table/frame.ts';
import { frameOf } from './tables.ts';

const written = dateFormats.filter((format) => !isEpoch(format));

const columnOf = (cells: (string | null)[]) => frameOf([{ name: 'd', type: 'date', cells }]).columns[0] as CategoryColumn;

/** The features of texts by name, after a column that makes all of them vary and starts at `first`. */
function partsOf(format: DateFormat, texts: (string | null)[], first: string, others: string[]): Record<string, number[]> {
  const fitted = { type: 'date' as const, name: 'd', missing: [], numbers: [], ...fitDate(columnOf([first, ...others]), format) };
  const numbers = dates.derive(fitted, columnOf(texts));
  return Object.fromEntries(dates.names(fitted).map((name, i) => [name.replace('d: ', ''), [...numbers[i]!]]));
}

test('days and civil dates are those of the calendar, from the year 1000 to 9999', () => {
  const days = fc.integer({ min: Date.UTC(1000, 0, 1) / 86_400_000, max: Date.UTC(9999, 11, 31) / 86_400_000 });
  fc.assert(
    fc.property(days, (day) => {
      const date = new Date(day * 86_400_000);
      const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
      expect(civilFromDays(day)).toEqual(civil);
      expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(day);
    }),
  );
});

test.each(written)('%s: the pattern takes the days that exist and no others', (format) => {
  const matcher = matcherOf(format);
  const { hasShortYear, order } = writtenDate(format);
  const hasDay = order.includes('D');
  for (const year of hasShortYear ? [1969, 1996, 2000, 2023, 2024, 2068] : [1000, 1900, 2000, 2023, 2024, 9996]) {
    for (let month = 0; month <= 13; month++) {
      for (let day = hasDay ? 0 : 1; day <= (hasDay ? 32 : 1); day++) {
        const date = new Date(Date.UTC(year, month - 1, day));
        const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        expect(matcher.test(writeDate(format, year, month, day)), `${year} ${month} ${day}`).toBe(exists);
      }
    }
  }
});

test('DuckDB and JavaScript read the patterns alike', async () => {
  const texts = dateFormats.flatMap((format) => dates.probes({ format } as never));
  const found = await withDatabase({}, async (database) => {
    const list = `unnest([${texts.map((text) => `'${text}'`).join(', ')}])`;
    const tests = dateFormats.map((format) => `regexp_full_match(v, '${patternOf(format)}')`);
    return (await database.runAndReadAll(`SELECT ${tests.join(', ')} FROM (SELECT ${list} AS v)`)).getRows();
  });
  expect(found).toEqual(texts.map((text) => dateFormats.map((format) => matcherOf(format).test(text))));
  for (const [i] of dateFormats.entries()) expect(found.filter((row) => row[i])).not.toHaveLength(0);
});

describe('a date becomes', () => {
  test.each(written)('%s: year, month, day, weekday and hour as written, and the days since the first', (format) => {
    const { order, hasShortYear, hasTime, isHalfDay } = writtenDate(format);
    const first = writeDate(format, 1999, 12, 31);
    const others = [writeDate(format, 2000, 1, 30) + (hasTime ? ` 05:00${isHalfDay ? ' PM' : ''}` : ''), writeDate(format, 2001, 2, 15)];
    const [min, max] = hasShortYear ? ['1969-01-01T00:00:00Z', '2068-12-31T23:59:59Z'] : ['1000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
    fc.assert(
      fc.property(fc.date({ min: new Date(min!), max: new Date(max!), noInvalidDate: true }), (moment) => {
        const date = new Date(moment);
        if (!order.includes('D')) date.setUTCDate(1);
        const time = date.toLocaleTimeString('en-US', { timeZone: 'UTC', hourCycle: isHalfDay ? 'h12' : 'h23' }).replace('\u202f', ' ');
        const clock = hasTime ? ` ${time}` : '';
        const text = writeDate(format, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()) + clock;
        const seconds = Math.floor(date.getTime() / (hasTime ? 1000 : 86_400_000)) * (hasTime ? 1 : 86_400);
        const parts = partsOf(format, [text], first, others);
        expect(parts).toMatchObject({
          year: [date.getUTCFullYear()],
          month: [date.getUTCMonth() + 1],
          ...(order.includes('D') && { day: [date.getUTCDate()] }),
          weekday: [(date.getUTCDay() + 6) % 7],
          ...(hasTime && { hour: [date.getUTCHours()] }),
          'days since the first': [Math.fround((seconds - Date.UTC(1999, 11, order.includes('D') ? 31 : 1) / 1000) / 86_400)],
        });
        const dayOfYear = (Date.UTC(2001, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2001, 0, 1)) / 86_400_000;
        expect(parts['time of year, sine']![0]).toBeCloseTo(Math.sin((2 * Math.PI * dayOfYear) / 366), 1);
      }),
      { numRuns: 50 },
    );
  });

  test('the same moment wherever it is written, and the hour of the place', () => {
    const texts = [
      '2026-03-01T12:00:00Z',
      '2026-03-01 14:00+02:00',
      '2026-03-01 06:30 -0530',
      '2026-03-01T13:00:00.999+01',
      ' 2026-03-01T12:00 ',
    ];
    const parts = partsOf('YYYY-MM-DD', texts, '2026-02-28', ['2026-03-02T01:00']);
    expect(parts['days since the first']).toEqual(texts.map(() => 1.5));
    expect(parts['hour']).toEqual([12, 14, 6, 13, 12]);
  });

  test('a place in time, in whatever order it is written', () => {
    const { values } = instantsOf(columnOf(['02.01.2024', '01.02.2024 00:00 +01:00', null, '31.12.2023']), 'DD.MM.YYYY');
    const seconds = (text: string) => Date.parse(text) / 1000;
    expect([...values]).toEqual([seconds('2024-01-02Z'), seconds('2024-01-31T23:00Z'), NaN, seconds('2023-12-31Z')]);
  });

  test('noon and midnight of twelve hours, names of months in any case, and two digits of a year', () => {
    const hours = (texts: string[]) => partsOf('MM/DD/YY AM/PM', texts, '1/1/99', ['2/2/00 5:00 PM', '3/7/02 12:01 AM'])['hour'];
    expect(hours(['1/1/24 12:00 AM', '1/1/24 12:59pm', '1/1/24 11:30 PM', '1/1/24 1:00am', '1/1/24', '1/1/24 13:00 PM'])).toEqual([
      0,
      12,
      23,
      1,
      0,
      NaN,
    ]);
    const years = partsOf('DD-MMM-YY', ['05-MAR-24', '5-March-68', '05-sep-69', '31-Apr-24'], '01-Jan-99', ['02-Feb-01']);
    expect(years).toMatchObject({ year: [2024, 2068, 1969, NaN], month: [3, 3, 9, NaN] });
    const { values } = instantsOf(columnOf(['Tue, 5 Mar 2024 10:15:00 +0100', 'TUESDAY 05 March 2024 09:15 GMT']), 'EEE, DD MMM YYYY');
    expect([...values]).toEqual([0, 1].map(() => Date.parse('2024-03-05T09:15Z') / 1000));
  });

  test('what epoch seconds and milliseconds count', () => {
    const seconds = partsOf('epoch seconds', ['951826800', '951826800.9', 'x', null], '951782400', ['983404800', '1014940801']);
    expect(seconds).toMatchObject({ year: [2000, 2000, NaN, NaN], month: [2, 2, NaN, NaN], day: [29, 29, NaN, NaN] });
    expect(seconds['days since the first']).toEqual([Math.fround(44_400 / 86_400), Math.fround(44_400 / 86_400), NaN, NaN]);
    expect(partsOf('epoch milliseconds', ['951826800999'], '951782400000', ['983404800000'])).toMatchObject({ year: [2000] });
  });

  test('missing where it is missing or none of the format, and only what varies is a feature', () => {
    const parts = partsOf('DD.MM.YYYY', [null, '31.02.2024', '2024-02-01', '', '05.02.2024'], '01.02.2024', ['09.02.2024']);
    expect(Object.keys(parts)).toEqual(
      ['days since the first', 'day', 'weekday', 'time of year, sine', 'time of year, cosine'].filter((name) => name in parts),
    );
    expect(parts).not.toHaveProperty('year');
    expect(parts).not.toHaveProperty('hour');
    expect(parts['day']).toEqual([NaN, NaN, NaN, NaN, 5]);
  });
});
