/** Ways to write numbers, with texts and what they are. */
import type { NumberFormat } from '../../core/features/number-formats.ts';

export const formats: [name: string, format: NumberFormat, texts: [string, number][]][] = [
  [
    'dollars, with parentheses for negative ones',
    { decimal: '.', groups: [','], prefixes: ['$'], negative: '()' },
    [
      ['$1,234.50', 1234.5],
      [' $ 1,234,567 ', 1234567],
      ['($1,234.5)', -1234.5],
      ['$(5)', -5],
      ['(0)', -0],
      ['-$5', -5],
      ['$-5.25', -5.25],
      ['- 5', -5],
      ['+.5', 0.5],
      ['1234.', 1234],
      ['12,34,567.89', 1234567.89],
    ],
  ],
  [
    'euros behind, as in Germany',
    { decimal: ',', groups: ['.', '\u00a0'], suffixes: ['€'] },
    [
      ['1.234,50 €', 1234.5],
      ['1.234,50\u00a0€', 1234.5],
      ['1\u00a0234\u00a0567,5€', 1234567.5],
      ['1.234', 1234],
      ['0,001', 0.001],
      ['-7', -7],
    ],
  ],
  [
    'spaces between thousands, and a minus behind',
    { decimal: ',', groups: ['.', ' ', '\u202f'], negative: '5-' },
    [
      ['1 234,5', 1234.5],
      ['1\u202f234 567,5-', -1234567.5],
      ['-5', -5],
      ['5 -', -5],
    ],
  ],
  [
    'apostrophes, and a minus that is none',
    { decimal: '.', groups: [',', "'", '’'], prefixes: ['CHF', 'Fr.'], negative: '−' },
    [
      ["CHF 1'234.50", 1234.5],
      ['Fr. 1’234’567', 1234567],
      ['−CHF 5', -5],
      ['−5', -5],
      ['-5', -5],
    ],
  ],
  [
    'a unit in several spellings',
    { decimal: '.', groups: [','], suffixes: ['kg', 'kgs', 'KG'] },
    [
      ['12 kg', 12],
      ['12.5kgs', 12.5],
      ['1,200 KG', 1200],
      ['7', 7],
    ],
  ],
  [
    'decimal commas with exponents',
    { decimal: ',', groups: [], exponent: true },
    [
      ['1,5E-05', 0.000015],
      ['-2,', -2],
      [',5e3', 500],
      ['17', 17],
    ],
  ],
];
