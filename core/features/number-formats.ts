/**
 * Ways to write a number that no runtime reads by itself: `$1,234.50`, `1.234,5 kg`, `(12%)`, `$1.2M`. Each is a pattern that RE2 (DuckDB's and ONNX
 * Runtime's) and JavaScript read alike, and marks to leave out, or to put a power of ten for, after which all read the same decimal.
 */

export interface NumberFormat {
  decimal: '.' | ',';
  /** What may stand between thousands. */
  groups: string[];
  /** Spellings of one unit, before the number or behind it; it may be left out. */
  prefixes?: string[];
  suffixes?: string[];
  /** Behind the digits and before any unit: spelling → the power of ten that it stands for, `{"K": 3, "Mio.": 6}`; it may be left out. */
  magnitudes?: Record<string, number>;
  /** How negative numbers are written besides -5: (5), 5- or −5. */
  negative?: '()' | '5-' | '−';
  /** Whether there may be an exponent: not beside any of the above. */
  exponent?: true;
}

/** All that may stand between thousands. */
export const groupMarks = [',', '.', ' ', '\u00a0', '\u202f', '\u2009', "'", '’'];
const spaces = ['\u00a0', '\u202f', '\u2009'];

/** Digits before and behind the decimal mark, enough for every float32, and finite; and marks between thousands. */
const most = { whole: 60, fraction: 70, groups: 5 };
/** How often one of the spaces may stand in a number: between thousands, and behind sign and unit or before it and the magnitude. */
export const mostSpaces = most.groups + 4;

/** A text as a pattern of itself. */
export const quoted = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
const oneOf = (texts: readonly string[]) => `(${texts.map(quoted).join('|')})`;

/** A pattern for the whole of a text; spaces around are allowed. */
export function patternOf(format: NumberFormat): string {
  const { decimal, groups, prefixes = [], suffixes = [], magnitudes, negative, exponent } = format;
  const space = `[ ${spaces.filter((mark) => groups.includes(mark)).join('')}]`;
  const group = groups.length > 0 && oneOf(groups);
  const whole = [
    ...(group ? [`[1-9][0-9]{0,2}(${group}[0-9]{3}){1,${most.groups}}`] : []),
    // As in India: 12,34,567.
    ...(groups.includes(',') ? [`[1-9][0-9]?(,[0-9]{2}){1,${most.groups - 1}},[0-9]{3}`] : []),
    `[0-9]{1,${most.whole}}`,
  ];
  const mark = quoted(decimal);
  const power = exponent ? '([eE][+-]?[0-9]{1,2})?' : magnitudes ? `(${space}?${oneOf(Object.keys(magnitudes))})?` : '';
  const digits = `((${whole.join('|')})(${mark}[0-9]{0,${most.fraction}})?|${mark}[0-9]{1,${most.fraction}})${power}`;
  const sign = `[+${negative === '−' ? '−' : ''}-]${space}?`;
  const before = prefixes.length > 0 ? `${oneOf(prefixes)}${space}?` : '';
  const behind = suffixes.length > 0 ? `(${space}?${oneOf(suffixes)})?` : '';
  const optional = before && `(${before})?`;
  const ways = [
    `(${sign})?${optional}${digits}${behind}`,
    ...(before ? [`${before}${sign}${digits}${behind}`] : []),
    ...(negative === '()' ? [`\\(${space}?${optional}${digits}${behind}${space}?\\)`] : []),
    ...(negative === '()' && (before || behind) ? [`${optional}\\(${digits}\\)${behind}`] : []),
    ...(negative === '5-' ? [`${optional}${digits}${space}?-${behind}`] : []),
  ];
  return ` *(${ways.join('|')}) *`;
}

/** Whether a text is such a number, by a pattern as above. */
export const matcherOf = (format: NumberFormat) => new RegExp(`^(?:${patternOf(format)})$`);

/** What marks a negative number whose minus does not stay before its digits, where there is such a thing. */
export const negativeMark = ({ negative }: NumberFormat) => (negative === '5-' ? '-' : negative?.charAt(0));

/** What to leave out besides spaces, or to put a power of ten for, in this order: longer words first, so that none cuts another. */
export function leftOutOf({
  groups,
  prefixes = [],
  suffixes = [],
  magnitudes = {},
  negative,
}: NumberFormat): { mark: string; power?: string }[] {
  const powers = Object.entries(magnitudes).map(([mark, power]) => ({ mark, power: `e${power}` }));
  const words = [...[...prefixes, ...suffixes].map((mark) => ({ mark })), ...powers];
  words.sort((a, b) => b.mark.length - a.mark.length || (a.mark < b.mark ? -1 : 1));
  const signs = [...(negative === '5-' ? '-' : (negative ?? '')), ...groups.filter((mark) => mark !== ' ')];
  return [...words, ...signs.map((mark) => ({ mark }))];
}

/** What reads texts of the format, as the graph and SQL do; NaN is what is none. */
export function numberReader(format: NumberFormat): (text: string) => number {
  const matcher = matcherOf(format);
  const marks = [...leftOutOf(format), { mark: ' ' }];
  const negative = negativeMark(format);
  return (text) => {
    if (!matcher.test(text)) return Number.NaN;
    const bare = marks.reduce((rest, { mark, power = '' }) => rest.replaceAll(mark, power), text);
    const value = Number(bare.replace(format.decimal, '.'));
    return negative !== undefined && text.includes(negative) ? -value : value;
  };
}

/** A number as people write it in the format, for messages. */
export function exampleOf({ decimal, groups, prefixes = [], suffixes = [] }: NumberFormat): string {
  const behind = suffixes[0] ?? '';
  return `${prefixes[0] ?? ''}1${groups[0] ?? ''}234${decimal}5${/^\p{L}/u.test(behind) ? ' ' : ''}${behind}`;
}

/** A number as a text of the format, without groups and unit; what is missing is ''. Beyond the format's digits it is the largest that there is. */
export function writeNumber(value: number, { decimal }: NumberFormat): string {
  if (Number.isNaN(value)) return '';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [digits, exponent = '0'] = String(Math.abs(value)).split('e') as [string, string?];
  const text = Math.abs(value) < 10 ** most.whole ? shifted(digits, Number(exponent)) : '9'.repeat(most.whole);
  return sign + text.replace('.', decimal);
}

/** @param digits a decimal; @returns it with the point moved to the right by so many places */
function shifted(digits: string, places: number): string {
  if (places === 0) return digits;
  const [whole, fraction = ''] = digits.split('.') as [string, string?];
  if (places > 0) return whole + fraction.padEnd(places, '0');
  return `0.${'0'.repeat(-places - whole.length)}${whole}${fraction}`.slice(0, most.fraction + 2);
}
