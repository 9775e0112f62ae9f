/** Which terms of texts are worth a column: those that most texts have, but not nearly all. */
import { carried, characterRuns, charactersOf, folded, type Vocabulary, wordsOf } from './text-tokens.ts';

const mostWords = 2000;
const mostPairs = 1000;
const mostCharacters = 2000;
const mostRuns = 2000;
/** A term is worth a column where at least so many texts have it, */
const fewestTexts = 3;
/** and at most this share of them. */
const largestShare = 0.9;
/** Runs of characters are looked for in the first so many of a text. */
const firstCharacters = 1000;

/** @param withRuns whether runs of characters are looked for, which is most of the work; where there are no words, they are */
export function fitVocabulary(texts: readonly string[], withRuns = true): Vocabulary {
  const forms = new Map<string, Map<string, number>>();
  const cut = texts.map((text) => wordsOf(carried(text)));
  for (const words of cut) {
    for (const form of new Set(words)) {
      const key = form.toLowerCase();
      const known = forms.get(key) ?? new Map<string, number>();
      forms.set(key, known.set(form, (known.get(form) ?? 0) + 1));
    }
  }
  const often = frequent(
    cut.map((words) => words.map((form) => form.toLowerCase())),
    texts.length,
    mostWords,
  );
  const numberOf = new Map(often.map((key, i) => [key, i + 1]));
  const words = new Map<string, number>();
  // First what the texts have, then what they might: no variant takes another word's spelling.
  for (const key of often) for (const form of forms.get(key)!.keys()) words.set(form, numberOf.get(key)!);
  for (const key of often) {
    for (const form of [key, key.toUpperCase(), key.charAt(0).toUpperCase() + key.slice(1)])
      if (!words.has(form) && wordsOf(form)[0] === form) words.set(form, numberOf.get(key)!);
  }
  const pairs = frequent(
    cut.map((tokens) =>
      runsOf(
        tokens.map((form) => words.get(form) ?? 0),
        2,
        2,
      ),
    ),
    texts.length,
    mostPairs,
  );

  const folds =
    withRuns || often.length === 0 ? texts.map((text) => charactersOf(carried(text)).slice(0, firstCharacters).map(folded)) : [];
  const alphabet = frequent(folds, Infinity, mostCharacters);
  const codeOf = new Map(alphabet.map((character, i) => [character, i + 1]));
  const characters = new Map(codeOf);
  for (const [character, code] of codeOf) {
    for (const variant of [character.toUpperCase(), character.toLowerCase()])
      if (charactersOf(variant).length === 1 && folded(variant) === character) characters.set(variant, code);
  }
  const runs = frequent(
    folds.map((text) =>
      runsOf(
        text.map((character) => codeOf.get(character) ?? 0),
        characterRuns.from,
        characterRuns.to,
      ),
    ),
    texts.length,
    mostRuns,
  );
  const termOf = (run: string) => run.split(' ').map(Number);
  return {
    words: Object.fromEntries(words),
    characters: Object.fromEntries(characters),
    wordTerms: [...often.map((key) => [numberOf.get(key)!]), ...pairs.map(termOf)],
    characterTerms: runs.map(termOf).sort((a, b) => a.length - b.length),
  };
}

/** The tokens that most texts have, the more frequent first, ties by code unit. */
function frequent(texts: readonly (readonly string[])[], of: number, most: number): string[] {
  const counts = new Map<string, number>();
  for (const tokens of texts) for (const token of new Set(tokens)) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= Math.min(fewestTexts, of) && count <= Math.max(fewestTexts, largestShare * of))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([token]) => token);
}

/** Runs of known tokens, as text. */
function runsOf(tokens: readonly number[], from: number, to: number): string[] {
  const runs: string[] = [];
  for (let start = 0; start < tokens.length; start++) {
    for (let length = from; length <= to && start + length <= tokens.length; length++) {
      const run = tokens.slice(start, start + length);
      if (run.includes(0)) break;
      runs.push(run.join(' '));
    }
  }
  return runs;
}
