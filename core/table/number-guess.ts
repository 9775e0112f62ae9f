/** Whether text looks like numbers, and how they are written: from the first rows, which the look at every cell confirms or sends back. */
import { groupMarks, matcherOf, type NumberFormat } from '../features/number-formats.ts';
import { guessMagnitudes, type Magnitudes } from './magnitudes.ts';

export interface NumberForm {
  as: 'number';
  /** Absent where any reader of numbers reads them: 1234.5 or 1e3. */
  written?: NumberFormat;
  /** Whether the marks may as well be the other way round, thousands for decimals. */
  ambiguous?: boolean;
}

export interface NumberHints {
  /** What dataset.json says is the decimal mark, */
  decimal?: '.' | ',' | undefined;
  /** or what other columns of the file have where this one leaves it open. */
  likely?: '.' | ',' | undefined;
  /** Whether units may be words; else signs alone, as a name may begin with a number. */
  words?: boolean;
}

const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const codes =
  'USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|RUB|TRY|KRW|SGD|HKD|Rs[.]?|kr[.]?|zł|Kč|Ft|Fr[.]?';
const signs = '[A-Z]{0,3}\\p{Sc}|[%‰]|°[CFK]?';
const words = '[\\p{L}°µ%][\\p{L}\\p{M}°µ²³/·.%]{0,14}[23]?( \\p{L}{1,10})?';
const digits = `(?<digits>\\d[\\d${groupMarks.join('')}]*|[.,]\\d+)(?<exponent>[eE][+-]?\\d{1,2}(?![\\d\\p{L}]))?`;
const shapeOf = (suffix: string) =>
  new RegExp(`^(?<open>\\()?[+−-]?\\s?(?<prefix>${signs}|${codes})?\\s?[(+−-]?${digits}\\s?(?<suffix>${suffix}|${codes})?\\s?[)-]?$`, 'u');
const shapes = { signs: shapeOf(signs), words: shapeOf(`${signs}|${words}`) };

/** From this share of the numbers that have it, a unit is the column's. */
const unitShare = 0.5;

/** International telephone numbers (E.164), which any reader of numbers would take for such, and leave out their sign. */
const telephone = /^\+[1-9]\d{7,14}$/;
export const isTelephone = (value: string) => telephone.test(value.trim());

/** @param values some that are not missing; @param share how many of them must be numbers */
export function guessNumber(values: readonly string[], share: number, hints: NumberHints = {}): NumberForm | undefined {
  const { decimal, likely } = hints;
  const trimmed = values.map((value) => value.trim());
  if (trimmed.filter(isTelephone).length > (1 - share) * trimmed.length) return undefined;
  const magnitudes = guessMagnitudes(trimmed, hints.words === false);
  const withMagnitudes = magnitudes && guessWritten(trimmed, share, hints, magnitudes);
  if (withMagnitudes) return withMagnitudes;
  const isPlain = values.length > 0 && trimmed.filter((value) => plain.test(value)).length >= share * values.length;
  if (isPlain && decimal !== ',' && (likely !== ',' || !areGroupedByDots(values))) return { as: 'number' };
  return guessWritten(trimmed, share, hints);
}

/** @param magnitudes where there are some, which are no units then */
function guessWritten(trimmed: readonly string[], share: number, hints: NumberHints, magnitudes?: Magnitudes): NumberForm | undefined {
  const { decimal, likely } = hints;
  const enough = (count: number) => trimmed.length > 0 && count >= share * trimmed.length;
  const { powers, bare } = magnitudes ?? { powers: undefined, bare: trimmed };
  const parts = partsOf(bare, hints.words === false ? shapes.signs : shapes.words);
  if (!enough(parts.length)) return undefined;
  const prefixes = unitOf(parts.map(({ prefix }) => prefix));
  const suffixes = unitOf(parts.map(({ suffix }) => suffix));
  if (prefixes === undefined || suffixes === undefined) return undefined;
  const units = [...prefixes, ...suffixes];
  if (looksLikeKeys(parts, [...units, ...Object.keys(powers ?? {})])) return undefined;
  // Such a unit would be taken for a magnitude, or for what is written in its place.
  if (powers && units.some((unit) => unit in powers || unit === 'e')) return undefined;
  const found = (decimal === undefined ? (['.', ','] as const) : [decimal]).map((mark) => {
    const format = formatOf(mark, parts, bare, { prefixes, suffixes }, powers);
    const matcher = matcherOf(format);
    const read = trimmed.map((value) => matcher.test(value));
    return { format, read, count: read.filter(Boolean).length };
  });
  const [first, second] = found as [(typeof found)[number], (typeof found)[number]?];
  const reverses = second !== undefined && (second.count > first.count || (second.count === first.count && likely === ','));
  const best = reverses ? second : first;
  if (!enough(best.count)) return undefined;
  // Marks that may be thousands in both readings, and nothing that tells which.
  const isOpen = second !== undefined && first.count === second.count && parts.some(({ digits: each }) => /[.,]/.test(each));
  return { as: 'number', written: best.format, ...(isOpen && likely === undefined && { ambiguous: true }) };
}

type Parts = { digits: string; exponent?: string; prefix?: string; suffix?: string };

function partsOf(values: readonly string[], shape: RegExp): Parts[] {
  return values.flatMap((value) => {
    const groups = shape.exec(value)?.groups;
    return groups === undefined ? [] : [{ ...(groups as unknown as Parts), digits: groups['digits']!.trim() }];
  });
}

/** The spellings of the unit that most have; none where few have any, undefined where it differs. */
function unitOf(units: readonly (string | undefined)[]): string[] | undefined {
  const spelled = units.filter((unit) => unit !== undefined);
  if (spelled.length === 0) return [];
  const keys = Map.groupBy(spelled, keyOf);
  const most = [...keys.values()].reduce((a, b) => (b.length > a.length ? b : a));
  return most.length < unitShare * units.length ? undefined : [...new Set(most)].sort();
}

/** One unit in singular and plural, and in upper and lower case where it has two letters or more. */
function keyOf(unit: string): string {
  const bare = unit.replace(/[.]$/, '');
  return bare.length < 2 ? bare : bare.toLowerCase().replace(/(?<=..)s$/, '');
}

/** Codes with a letter behind, or telephone numbers, and no amounts: no other number has so many digits in groups, or zeros before them. */
function looksLikeKeys(parts: readonly Parts[], units: readonly string[]): boolean {
  if (units.length > 0) return units.some((unit) => /^\p{L}/u.test(unit)) && parts.some(({ digits: each }) => /^0\d/.test(each));
  const bare = parts.map(({ digits: each }) => each);
  const onlyWhole = bare.every((each) => !/[.,]\d{1,2}$|[.,]\d{4,}/.test(each));
  return onlyWhole && bare.some((each) => /[^\d,]/.test(each)) && bare.every((each) => each.replace(/\D/g, '').length > 6);
}

function formatOf(
  decimal: '.' | ',',
  parts: readonly Parts[],
  values: readonly string[],
  { prefixes, suffixes }: { prefixes: string[]; suffixes: string[] },
  magnitudes?: Record<string, number>,
): NumberFormat {
  const negative = values.some((value) => value.includes('('))
    ? '()'
    : values.some((value) => value.includes('−'))
      ? '−'
      : values.some((value) => /\d\s?-/.test(value))
        ? '5-'
        : undefined;
  const usual = decimal === '.' ? ',' : '.';
  const seen = groupMarks.filter((mark) => mark !== decimal && mark !== usual && parts.some(({ digits: each }) => each.includes(mark)));
  const units = { ...(prefixes.length > 0 && { prefixes }), ...(suffixes.length > 0 && { suffixes }), ...(magnitudes && { magnitudes }) };
  const isBare = negative === undefined && seen.length === 0 && Object.keys(units).length === 0;
  if (isBare && parts.some(({ exponent }) => exponent !== undefined)) return { decimal, groups: [], exponent: true };
  return { decimal, groups: [usual, ...seen], ...units, ...(negative && { negative }) };
}

/** Whether all points stand between thousands, if that is what they are. */
export function areGroupedByDots(values: readonly string[]): boolean {
  const grouped = /^\s*[+-]?([1-9]\d{0,2}([.]\d{3})+|\d{1,3})\s*$/;
  return values.every((value) => grouped.test(value)) && values.some((value) => value.includes('.'));
}

/** The format in words, for reports. */
export function describeFormat({ decimal, groups, prefixes = [], suffixes = [], magnitudes, negative, exponent }: NumberFormat): string {
  const names: Record<string, string> = { ',': 'commas', '.': 'points', ' ': 'spaces', "'": 'apostrophes', '’': 'apostrophes' };
  const marks = [...new Set(groups.map((mark) => names[mark] ?? 'spaces'))];
  // Of what has a unit, only marks that are not the usual ones are worth a word.
  const hasUnit = prefixes.length > 0 || suffixes.length > 0 || magnitudes !== undefined;
  const quoted = (units: string[]) => units.map((unit) => `'${unit}'`).join(' or ');
  return [
    ...(prefixes.length > 0 ? [`${quoted(prefixes)} before them`] : []),
    ...(magnitudes ? [`magnitudes (${quoted(Object.keys(magnitudes))})`] : []),
    ...(suffixes.length > 0 ? [`${quoted(suffixes)} behind them`] : []),
    ...(decimal === ',' ? ['decimal commas'] : []),
    ...(exponent || (hasUnit && groups.length === 1) ? [] : [`${marks.join(' or ')} between thousands`]),
    ...(negative ? [`negative ones as ${negative === '()' ? '(5)' : negative === '−' ? '−5' : negative}`] : []),
  ].join(', ');
}
