/** A text as terms: words and pairs of them, and runs of three and four characters; the same ones whoever cuts the text. */
import { NumberTable } from './number-table.ts';

/** Ranges of code points that are no part of a word: ASCII's and Latin-1's signs, general and CJK punctuation. */
const separators = [
  [0x00, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0xbf],
  [0x2000, 0x206f],
  [0x3000, 0x303f],
] as const;

const classOf = (written: (code: number) => string) => `[^${separators.map(([from, to]) => `${written(from)}-${written(to)}`).join('')}]+`;

/** A word, as RE2 reads it. */
export const wordPattern = classOf((code) => `\\x{${code.toString(16)}}`);
const word = new RegExp(
  classOf((code) => `\\u{${code.toString(16)}}`),
  'gu',
);

/** A text as onnxruntime's bindings carry it. */
export const carried = (text: string) => text.toWellFormed().replaceAll('\0', '\uFFFD');

export const wordsOf = (text: string): string[] => text.match(word) ?? [];
export const charactersOf = (text: string): string[] => Array.from(text);

/** A character in the case in which all are compared: lower, where that is one character too. */
export function folded(character: string): string {
  const lower = character.toLowerCase();
  return charactersOf(lower).length === 1 ? lower : character;
}

/** What tokens become in the graph where they are none of the vocabulary's, and where a row has fewer than others. */
export const unknownToken = 0;
export const noToken = -1;

export interface Vocabulary {
  /** Spelling of a word → its number, from 1. */
  words: Record<string, number>;
  /** Character → its number, from 1. */
  characters: Record<string, number>;
  /** Terms of numbers of words, the shorter ones first, and of characters. A term's place among the first, and then the second, is its column. */
  wordTerms: number[][];
  characterTerms: number[][];
}

/** Counts the terms of texts. */
export class TermCounter {
  readonly terms: number;
  private readonly words: ReadonlyMap<string, number>;
  private readonly characters = new Map<number, number>();
  private readonly base: number;
  /** Terms of words, and of characters. */
  private readonly tables: [NumberTable, NumberTable];
  private readonly offset: number;
  private readonly counts: Int32Array;
  /** The tokens of a text. */
  private tokens = new Int32Array(1024);

  constructor({ words, characters, wordTerms, characterTerms }: Vocabulary) {
    this.words = new Map(Object.entries(words));
    for (const [character, number] of Object.entries(characters)) this.characters.set(character.codePointAt(0)!, number);
    this.base = [...this.words.values(), ...this.characters.values()].reduce((most, number) => Math.max(most, number), 0) + 1;
    const keyOf = (term: readonly number[]) => term.reduce((key, token) => key * this.base + token, 1);
    this.tables = [new NumberTable(wordTerms.map(keyOf)), new NumberTable(characterTerms.map(keyOf))];
    this.offset = wordTerms.length;
    this.terms = wordTerms.length + characterTerms.length;
    this.counts = new Int32Array(this.terms);
  }

  /** The columns of a text's terms, in the order in which it first has them, and how often it has each. */
  count(text: string): { terms: Int32Array; counts: Int32Array } {
    const sound = carried(text);
    const found: number[] = [];
    const words = wordsOf(sound);
    this.reserve(Math.max(words.length, sound.length));
    for (let i = 0; i < words.length; i++) this.tokens[i] = this.words.get(words[i]!) ?? unknownToken;
    this.countRuns(words.length, wordRuns, this.tables[0], 0, found);
    let length = 0;
    for (let i = 0; i < sound.length && this.offset < this.terms; length++) {
      const code = sound.codePointAt(i)!;
      this.tokens[length] = this.characters.get(code) ?? unknownToken;
      i += code > 0xffff ? 2 : 1;
    }
    this.countRuns(length, characterRuns, this.tables[1], this.offset, found);
    const terms = Int32Array.from(found);
    const counts = terms.map((term) => this.counts[term]!);
    for (const term of terms) this.counts[term] = 0;
    return { terms, counts };
  }

  private reserve(length: number): void {
    if (this.tokens.length < length) this.tokens = new Int32Array(2 * length);
  }

  /** A run's key is a number of at most four digits and a leading 1, in a base of a few thousand: below 2^53. */
  private countRuns(length: number, { from, to }: Runs, table: NumberTable, offset: number, found: number[]): void {
    const { tokens, counts, base } = this;
    for (let start = 0; start < length; start++) {
      let key = 1;
      const end = Math.min(length, start + to);
      for (let at = start; at < end; at++) {
        const token = tokens[at]!;
        if (token === unknownToken) break;
        key = key * base + token;
        if (at - start + 1 < from) continue;
        const place = table.placeOf(key);
        if (place >= 0 && counts[offset + place]!++ === 0) found.push(offset + place);
      }
    }
  }
}

interface Runs {
  from: number;
  to: number;
}

export const wordRuns: Runs = { from: 1, to: 2 };
export const characterRuns: Runs = { from: 3, to: 4 };
