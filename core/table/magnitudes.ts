/**
 * Whether what stands behind the numbers of a column are magnitudes: `3.4k`, `$1.2M`, `12 bn`, `1,5 Mio. €`. Words always are; letters may as well be
 * units, which the column as a whole decides.
 */

/** Families of spellings: where one of a family is found, the others are understood too, as a later row may have them. */
const words: Record<string, number>[] = [
  { thousand: 3, million: 6, billion: 9, trillion: 12 },
  { thousands: 3, millions: 6, billions: 9, trillions: 12 },
  { mn: 6, bn: 9, tn: 12 },
  { mln: 6, bln: 9, trn: 12 },
  { tsd: 3, mio: 6, mrd: 9 },
  { 'tsd.': 3, 'mio.': 6, 'mrd.': 9 },
  { tausend: 3, millionen: 6, milliarde: 9, milliarden: 9, billionen: 12 },
  { milliard: 9, milliards: 9 },
  { lakh: 5, lakhs: 5, crore: 7, crores: 7 },
];
const letters: Record<string, number> = { k: 3, m: 6, b: 9 };
const powerOf = new Map([...words, letters].flatMap((family) => Object.entries(family)));

const currency =
  'USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|RUB|TRY|KRW|SGD|HKD|Rs[.]?|(US|A|C|HK|NZ|S|R)?\\p{Sc}';
const spelled = [...powerOf.keys()].sort((a, b) => b.length - a.length).map((word) => word.replace('.', '[.]'));
/** A number and a magnitude; behind it nothing, a currency, or a word apart from it: `5 kg` has no `k`. */
const shape = new RegExp(
  `^(?<before>.*[\\d.,])\\s?(?<magnitude>(?i:${spelled.join('|')}))(?<behind>(\\s?(${currency}))?\\s?[)-]?|\\s\\p{L}.*)$`,
  'u',
);
const money = new RegExp(`(?<!\\p{L})(${currency})(?!\\p{L})`, 'u');

/** A share of values with magnitudes from which they are worth being read, where all others are plain numbers. */
const worthwhile = 0.01;

interface Found {
  magnitude: string;
  /** The value without it. */
  rest: string;
  /** Digits before the decimal mark. */
  digits: number;
}

export interface Magnitudes {
  /** Spelling → power of ten. */
  powers: Record<string, number>;
  /** The values, trimmed as they were, without them. */
  bare: string[];
}

/** @param values trimmed; @param needsCurrency where a name may look like a number of `k` */
export function guessMagnitudes(values: readonly string[], needsCurrency: boolean): Magnitudes | undefined {
  const found = values.map((value): Found | undefined => {
    const { before = '', magnitude, behind = '' } = shape.exec(value)?.groups ?? {};
    const digits = before.replace(/[.,]\d{0,2}$/, '').replace(/\D/g, '').length;
    return magnitude === undefined ? undefined : { magnitude, rest: before + behind, digits };
  });
  const some = found.filter((each) => each !== undefined);
  if (some.length === 0 || some.length < worthwhile * values.length) return undefined;
  const ofMoney = some.filter(({ rest }) => money.test(rest)).length >= some.length / 2;
  if (needsCurrency && !ofMoney) return undefined;
  const kinds = Map.groupBy(some, ({ magnitude }) => magnitude);
  const isOne = ([kind, own]: [string, Found[]]) => !(kind.toLowerCase() in letters) || isMagnitude(kind, own, [...kinds.keys()], ofMoney);
  const chosen = [...kinds].filter(isOne).map(([kind]) => kind);
  if (chosen.length === 0) return undefined;
  const powers = Object.fromEntries(chosen.flatMap((kind) => familyOf(kind, ofMoney)));
  return { powers, bare: values.map((value, i) => (found[i] && found[i].magnitude in powers ? found[i].rest : value)) };
}

/** `k` and `M` always; `m`, which may be metres, and `b` and `B`, bits and bytes, beside a currency or beside other magnitudes. */
function isMagnitude(letter: string, own: Found[], kinds: string[], ofMoney: boolean): boolean {
  if (ofMoney || letter === 'k' || letter === 'K' || letter === 'M') return true;
  const beside = kinds.some((kind) => kind.toLowerCase() !== letter.toLowerCase());
  // Beside kilometres of a race, 800 m and 1500 m are metres; numbers in millions are mostly below a hundred.
  const areSmall = own.filter(({ digits }) => digits < 3).length > own.length / 2;
  return beside && (letter !== 'm' || areSmall);
}

/** The spelling and the others of its family, in its own letter case. */
function familyOf(kind: string, ofMoney: boolean): [string, number][] {
  const lower = kind.toLowerCase();
  const own: [string, number] = [kind, powerOf.get(lower)!];
  const family = words.find((each) => lower in each) ?? (ofMoney || kind !== lower ? letters : {});
  const like = (word: string) =>
    kind === lower ? word : kind === kind.toUpperCase() ? word.toUpperCase() : word[0]!.toUpperCase() + word.slice(1);
  return [own, ...Object.entries(family).map(([word, power]): [string, number] => [like(word), power])];
}
