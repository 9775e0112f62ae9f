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
  [
    'dollars in thousands and millions',
    { decimal: '.', groups: [','], prefixes: ['$', 'US$'], magnitudes: { K: 3, k: 3, M: 6, B: 9 }, negative: '()' },
    [
      ['$1.2M', 1_200_000],
      ['US$3.4k', 3400],
      ['($1,250 K)', -1_250_000],
      ['-$.5B', -500_000_000],
      ['1.B', 1e9],
      ['0.1K', 100],
      ['$999', 999],
    ],
  ],
  [
    'millions in words, before a unit that is part of one of them',
    {
      decimal: ',',
      groups: ['.', '\u00a0'],
      suffixes: ['€', 'o', 'MXN'],
      magnitudes: { 'Mio.': 6, Mio: 6, 'Mrd.': 9, M: 6 },
      negative: '−',
    },
    [
      ['1,5 Mio. €', 1_500_000],
      ['−2 Mio€', -2_000_000],
      ['1.250,5\u00a0Mrd.\u00a0€', 1_250_500_000_000],
      ['3 Mio o', 3_000_000],
      ['4 M MXN', 4_000_000],
      ['4 MXN', 4],
      ['17', 17],
    ],
  ],
];
