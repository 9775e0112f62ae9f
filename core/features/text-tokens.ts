/** A text as terms: words and pairs of them, and runs of three and four characters; the same ones whoever cuts the text. */

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
  private readonly vocabulary: Vocabulary;
  private readonly places: Map<number, number>[];
  private readonly base: number;

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.terms = vocabulary.wordTerms.length + vocabulary.characterTerms.length;
    const numbers = [...Object.values(vocabulary.words), ...Object.values(vocabulary.characters)];
    this.base = numbers.reduce((most, number) => Math.max(most, number), 0) + 1;
    this.places = [vocabulary.wordTerms, vocabulary.characterTerms].map(
      (terms, kind) => new Map(terms.map((term, i) => [this.keyOf(term), (kind === 0 ? 0 : vocabulary.wordTerms.length) + i])),
    );
  }

  /** Column → count. */
  count(text: string): Map<number, number> {
    const { words, characters } = this.vocabulary;
    const counts = new Map<number, number>();
    const numberIn = (numbers: Record<string, number>) => (token: string) =>
      Object.hasOwn(numbers, token) ? numbers[token]! : unknownToken;
    const sound = carried(text);
    this.countRuns(wordsOf(sound).map(numberIn(words)), wordRuns, this.places[0]!, counts);
    this.countRuns(charactersOf(sound).map(numberIn(characters)), characterRuns, this.places[1]!, counts);
    return counts;
  }

  private countRuns(tokens: number[], { from, to }: Runs, places: Map<number, number>, counts: Map<number, number>): void {
    for (let start = 0; start < tokens.length; start++) {
      let key = 1;
      for (let length = 1; length <= to && start + length <= tokens.length; length++) {
        const token = tokens[start + length - 1]!;
        if (token === unknownToken) break;
        key = key * this.base + token;
        const place = length >= from ? places.get(key) : undefined;
        if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
      }
    }
  }

  /** A number for a term: at most four tokens of a few thousand, which a float64 holds exactly. */
  private keyOf(term: readonly number[]): number {
    return term.reduce((key, token) => key * this.base + token, 1);
  }
}

interface Runs {
  from: number;
  to: number;
}

export const wordRuns: Runs = { from: 1, to: 2 };
export const characterRuns: Runs = { from: 3, to: 4 };
