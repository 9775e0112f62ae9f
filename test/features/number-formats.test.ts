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
  test.each<[string, string[], Partial<NumberFormat> | undefined]>([
    ['currencies', ['$1,234.50', '$2.00', '($3)'], { decimal: '.', prefixes: ['$'], negative: '()' }],
    ['decimal commas', ['1.234,50', '7,1', '8'], { decimal: ',' }],
    ['spaces', ['1 234,5', '12', '1\u00a0000'], { decimal: ',', groups: ['.', ' ', '\u00a0'] }],
    ['percent', ['12.3%', '5 %', '0.1%'], { decimal: '.', suffixes: ['%'] }],
    ['singular and plural', ['1 year', '12 years', '3 Years'], { decimal: '.', suffixes: ['Years', 'year', 'years'] }],
    ['thousands here and there', ['950', '1,200', '12,345'], { decimal: '.' }],
    ['exponents', ['1,5E-05', '2,5', '3'], { decimal: ',', exponent: true }],
    ['no notation at all', ['1.5', '2e3', '-7'], undefined],
  ])('%s', (_, values, written) => {
    const found = guessNumber(values, 0.9);
    expect(found?.as).toBe('number');
    if (written === undefined) expect(found).toEqual({ as: 'number' });
    else expect(found?.written).toMatchObject(written);
  });

  test.each<[string, string[]]>([
    ['units that differ', ['5 kg', '500 g', '3 kg', '12 g']],
    ['two currencies', ['$5', '€7', '$8', '€1']],
    ['names', ['Q1', 'Q2', 'Q3']],
    ['keys with a letter', ['0012A', '0013A', '0451A']],
    ['telephone numbers', ['612 345 678', '912 345 678', '655 123 456']],
    ['addresses of the Internet', ['192.168.100.200', '192.168.100.201']],
    ['codes', ['A-17', 'B-20']],
    ['words', ['red', 'green']],
    ['times', ['12:30', '13:45']],
  ])('none: %s', (_, values) => expect(guessNumber(values, 0.9)).toBeUndefined());

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
