/** Categories: a code for each raw string, and a 0/1 feature for each frequent value. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** What a string means where it is none of the values that have a feature. */
export const missingCode = -1;
export const otherCode = -2;

/** The most features that one column may give. */
export const mostValues = 64;

/** A value has a feature where at least one row in this many has it. */
const rowsPerValue = 1000;

/**
 * The values that get a feature: the most frequent, the more frequent first, ties by code unit.
 * @param counts how many train rows have each value
 */
export function frequentValues(counts: ReadonlyMap<string, number>, rows: number): string[] {
  const least = Math.max(1, Math.ceil(rows / rowsPerValue));
  return [...counts]
    .filter(([, count]) => count >= least)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, mostValues)
    .map(([value]) => value);
}

export interface Spellings {
  /** Raw spelling → index into the values. */
  spellings: Record<string, number>;
  /** Raw strings that mean missing. */
  missing: string[];
}

/**
 * Which raw strings stand for which value. A spelling of the file stands for what it stood for there; a variant of one in case or
 * surrounding space stands for the same, unless it is itself a spelling of something else. Text with a NUL in it stands for nothing: some of
 * onnxruntime's bindings can't carry it.
 * @param seen every value of the clean table, the ones in `values` first, in that order
 * @param written the other spellings of a value in the file
 * @param tokens the strings that mean missing
 * @param options.variants false where variants in case and space are not to be known
 */
export function fitSpellings(
  values: readonly string[],
  seen: readonly string[],
  written: ReadonlyMap<string, readonly string[]>,
  tokens: readonly string[],
  { variants: hasVariants = true } = {},
): Spellings {
  const codes = new Map<string, number>();
  const claim = (text: string, code: number) => codes.has(text) || text.includes('\0') || codes.set(text, code);
  const index = new Map(values.map((value, code) => [value, code]));
  const forms: [text: string, code: number][] = [];
  for (const value of seen) {
    const code = index.get(value) ?? otherCode;
    for (const text of [value, ...(written.get(value) ?? [])]) forms.push([text, code]);
  }
  for (const token of tokens) forms.push([token, missingCode]);
  for (const [text, code] of forms) claim(text, code);
  if (hasVariants) for (const [text, code] of forms) if (code !== otherCode) for (const variant of variants(text)) claim(variant, code);
  const all = [...codes];
  return {
    spellings: Object.fromEntries(all.filter(([, code]) => code >= 0)),
    missing: all.filter(([, code]) => code === missingCode).map(([text]) => text),
  };
}

function variants(text: string): string[] {
  const trimmed = text.trim();
  const lower = trimmed.toLowerCase();
  const title = lower.replace(/(?<![\p{L}\p{N}'’])\p{L}/gu, (letter) => letter.toUpperCase());
  return [trimmed, lower, trimmed.toUpperCase(), title, lower.charAt(0).toUpperCase() + lower.slice(1)];
}

/** The code of each entry of a dictionary. */
export function encode(dictionary: readonly string[], { spellings, missing }: Spellings): Int32Array {
  const unknown = new Set(missing);
  return Int32Array.from(dictionary, (text) => {
    if (Object.hasOwn(spellings, text)) return spellings[text]!;
    return unknown.has(text) ? missingCode : otherCode;
  });
}

/**
 * @param x string [N, 1]
 * @returns float32 [N, 1], the code of each string
 */
export function encodeToOnnx(graph: GraphBuilder, x: string, { spellings, missing }: Spellings): string {
  const keys = [...Object.keys(spellings), ...missing];
  const codes = [...Object.values(spellings), ...missing.map(() => missingCode)];
  return graph.node(
    'LabelEncoder',
    [x],
    { keys_strings: { strings: keys }, values_floats: { floats: codes }, default_float: { float: otherCode } },
    { domain: 'ai.onnx.ml' },
  );
}

/**
 * All the 0/1 features of all the categories at once: is the code in this column this one?
 * @param codes float32 [N, columns]
 * @returns float32 [N, features.length]
 */
export function oneHotToOnnx(graph: GraphBuilder, codes: string, features: readonly { column: number; code: number }[]): string {
  const spread = graph.node('Gather', [codes, graph.int64s(features.map(({ column }) => column))], { axis: { int: 1 } });
  const equal = graph.node('Equal', [spread, graph.floats(features.map(({ code }) => code))]);
  return graph.node('Cast', [equal], { to: { int: 1 } });
}
