import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NumberFormat, numberReader, writeNumber } from '../../core/features/number-formats.ts';
import { literal, rowsOf, withDatabase } from '../../core/table/database.ts';
import { guessNumber } from '../../core/table/number-guess.ts';
import { numberCell } from '../../core/table/values.ts';
import { formats } from './number-formats.ts';

/** Texts that are nearly right: one of the given ones with a character changed, left out or put in. */
const nearly = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.nat(12),
      fc.constantFrom('', '0', '9', '-', ',', '.', ' ', '(', ')', '$', 'k', '\u00a0', "'"),
      fc.nat(2),
    )
    .map(([text, at, put, cut]) => text.slice(0, at) + put + text.slice(at + cut));

describe.each(formats)('%s', (_, format, texts) => {
  const read = numberReader(format);

  test.each(texts)('%s is %d', (text, number) => expect(read(text)).toBe(number));

  test.each([
    '',
    '-',
    '$',
    'kg',

    '1.2.3',
    '5 5',
    '--5',
    '-5-',
    '(-5)',
    '((5))',
    '1,234.5,6',
    '5 m',
    '٣',
    '5\n',
    'NaN',
    'Infinity',
    '0x10',
  ])('none: %j', (text) => expect(read(text)).toBeNaN());

  test('what is written is read as it was', () => {
    const numbers = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, min: -1e21, max: 1e21 }),
      fc.integer(),
    );
    fc.assert(
      fc.property(numbers, (number) => {
        fc.pre(Math.abs(number) > 1e-50 || number === 0 || Math.fround(number) === number);
        expect(read(writeNumber(number, format))).toBe(number);
      }),
    );
    expect(writeNumber(Number.NaN, format)).toBe('');
    expect(Math.fround(read(writeNumber(-Infinity, format)))).toBe(-Infinity);
  });

  test('SQL reads alike', async () => {
    const all = [...texts.map(([text]) => text), ...fc.sample(nearly(texts.map(([text]) => text)), 300)];
    await withDatabase({}, async (database) => {
      const values = all.map((text, i) => `(${i}, ${literal(text)})`).join(', ');
      const rows = await rowsOf(database, `SELECT ${numberCell('v', format)} FROM (VALUES ${values}) AS t(i, v) ORDER BY i`);
      expect(rows.map(([number]) => number ?? Number.NaN)).toEqual(all.map(read));
    });
  });
});

describe('the way in which most are written', () => {
  test.each<[string, string[], Partial<Record<keyof NumberFormat, unknown>> | undefined]>([
    ['currencies', ['$1,234.50', '$2.00', '($3)'], { decimal: '.', prefixes: ['$'], negative: '()' }],
    ['decimal commas', ['1.234,50', '7,1', '8'], { decimal: ',' }],
    ['spaces', ['1 234,5', '12', '1\u00a0000'], { decimal: ',', groups: ['.', ' ', '\u00a0'] }],
    ['percent', ['12.3%', '5 %', '0.1%'], { decimal: '.', suffixes: ['%'] }],
    ['singular and plural', ['1 year', '12 years', '3 Years'], { decimal: '.', suffixes: ['Years', 'year', 'years'] }],
    ['thousands here and there', ['950', '1,200', '12,345'], { decimal: '.' }],
    ['exponents', ['1,5E-05', '2,5', '3'], { decimal: ',', exponent: true }],
    ['thousands and millions', ['1.2M', '340K', '950'], { decimal: '.', magnitudes: { K: 3, M: 6, B: 9 } }],
    ['amounts in one magnitude', ['$1.2M', '$0.3M', '-$15M'], { prefixes: ['$'], magnitudes: { K: 3, M: 6, B: 9 } }],
    [
      'small letters of a currency',
      ['€5m', '€1.2bn', '€300k'],
      { prefixes: ['€'], magnitudes: expect.objectContaining({ k: 3, m: 6, bn: 9 }) },
    ],
    ['small letters of views', ['3.4k', '1.2m', '17'], { magnitudes: { k: 3, m: 6 } }],
    ['English words', ['1.5 million', '2 billion', '750 thousand'], { magnitudes: { thousand: 3, million: 6, billion: 9, trillion: 12 } }],
    [
      'German words',
      ['1,5 Mio. €', '2 Mrd. €', '950 €'],
      { decimal: ',', suffixes: ['€'], magnitudes: { 'Tsd.': 3, 'Mio.': 6, 'Mrd.': 9 } },
    ],
    ['between number and currency', ['12 bn USD', '3.5 bn USD', '800 mn USD'], { suffixes: ['USD'], magnitudes: { mn: 6, bn: 9, tn: 12 } }],
    ['a few among plain numbers', [...Array.from({ length: 49 }, (_, i) => String(i)), '1.2K'], { magnitudes: { K: 3, M: 6, B: 9 } }],
    ['crores', ['₹1,20,000', '₹2.5 crore', '₹3 lakh'], { prefixes: ['₹'], magnitudes: expect.objectContaining({ crore: 7, lakh: 5 }) }],
    ['metres', ['5 m', '12.5 m', '800 m'], { suffixes: ['m'], magnitudes: undefined }],
    ['metres beside thousands of them', ['5k', '1500m', '10k', '800m', '400m'], { suffixes: ['m'], magnitudes: { k: 3 } }],
    ['bytes', ['5 B', '12 B'], { suffixes: ['B'], magnitudes: undefined }],
    ['kilograms and millimetres', ['5kg', '12kg'], { suffixes: ['kg'], magnitudes: undefined }],
    ['no notation at all', ['1.5', '2e3', '-7'], undefined],
  ])('%s', (_, values, written) => {
    const found = guessNumber(values, 0.9);
    expect(found?.as).toBe('number');
    if (written === undefined) expect(found).toEqual({ as: 'number' });
    else expect({ magnitudes: undefined, ...found?.written }).toMatchObject(written);
  });

  test.each<[string, string[]]>([
    ['units that differ', ['5 kg', '500 g', '3 kg', '12 g']],
    ['two currencies', ['$5', '€7', '$8', '€1']],
    ['names', ['Q1', 'Q2', 'Q3']],
    ['keys with a letter', ['0012A', '0013A', '0451A']],
    ['keys with a letter that may be a magnitude', ['0012K', '0013K', '0451K']],
    ['kilometres and metres', ['5 km', '300 m', '2 km', '50 m']],
    ['sizes', ['32M', '34S', '36L', '38X']],
    ['telephone numbers', ['612 345 678', '912 345 678', '655 123 456']],
    ['addresses of the Internet', ['192.168.100.200', '192.168.100.201']],
    ['codes', ['A-17', 'B-20']],
    ['words', ['red', 'green']],
    ['times', ['12:30', '13:45']],
  ])('none: %s', (_, values) => expect(guessNumber(values, 0.9)).toBeUndefined());

  test('amounts of any size are read as they were meant, whatever they are written with', () => {
    const styles: { write: (digits: string, power: string) => string; powers: Record<string, number> }[] = [
      { write: (digits, power) => `$${digits}${power}`, powers: { '': 0, K: 3, M: 6, B: 9 } },
      { write: (digits, power) => `$${digits}${power}`, powers: { '': 0, k: 3, m: 6, bn: 9 } },
      { write: (digits, power) => `${digits}${power}`, powers: { '': 0, K: 3, M: 6 } },
      { write: (digits, power) => `${digits} ${power} USD`.replace('  ', ' '), powers: { '': 0, thousand: 3, million: 6, billion: 9 } },
      { write: (digits, power) => `(€${digits} ${power})`.replace(' )', ')'), powers: { '': 0, mn: 6, bn: 9 } },
      { write: (digits, power) => `${digits.replace('.', ',')} ${power} €`.replace('  ', ' '), powers: { '': 0, 'Mio.': 6, 'Mrd.': 9 } },
    ];
    const amounts = (powers: string[]) =>
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom(...powers)), { minLength: 1, maxLength: 12 });
    const cases = fc.constantFrom(...styles).chain(({ write, powers }) =>
      // Each magnitude twice, a decimal among them, so that all are to be seen.
      amounts(Object.keys(powers)).map((drawn) => {
        const all = [
          ...Object.keys(powers).flatMap((power): [number, string][] => [
            [15, power],
            [123, power],
          ]),
          ...drawn,
        ];
        return all.map(([tenths, power]) => {
          const digits = tenths % 10 === 0 ? String(tenths / 10) : (tenths / 10).toFixed(1);
          const text = write(digits, power);
          return { text, value: (text.startsWith('(') ? -1 : 1) * Number(`${digits}e${powers[power]}`) };
        });
      }),
    );
    fc.assert(
      fc.property(cases, (all) => {
        const { written } = guessNumber(
          all.map(({ text }) => text),
          1,
        )!;
        const read = numberReader(written!);
        for (const { text, value } of all) expect(read(text), text).toBe(value);
      }),
    );
  });

  test('marks that leave it open are told, and follow the file’s other columns or dataset.json', () => {
    const values = ['1,234', '5,678'];
    expect(guessNumber(values, 0.9)).toMatchObject({ written: { decimal: '.' }, ambiguous: true });
    expect(guessNumber(values, 0.9, { likely: ',' })).toMatchObject({ written: { decimal: ',' } });
    expect(guessNumber(values, 0.9, { decimal: ',' })).not.toHaveProperty('ambiguous');
    expect(guessNumber(['1.500', '950', '12.000'], 0.9)).toEqual({ as: 'number' });
    expect(guessNumber(['1.500', '950', '12.000'], 0.9, { likely: ',' })).toMatchObject({ written: { decimal: ',', groups: ['.'] } });
    expect(guessNumber(['1.5', '950', '12.000'], 0.9, { likely: ',' })).toEqual({ as: 'number' });
  });
});
