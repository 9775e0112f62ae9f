/** Tables of any shape, drawn by seed, as CSV. */
import { Random } from '../../core/random.ts';

export interface TableShape {
  rows: number;
  numbers: number;
  /** Columns of free text. */
  texts?: number;
  /** 0 for a regression. */
  classes: number;
}

const words = Array.from({ length: 2000 }, (_, i) => `w${((i * 7919) % 9973).toString(36)}`);
const wordsOfText = 8;

/** The target follows from three numbers, and from the first word where there are texts, with noise. */
export function tableOf({ rows, numbers, texts = 0, classes }: TableShape): string {
  const random = new Random(7);
  const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);
  const lines = [[...names('n', numbers), ...names('t', texts), 'target'].join(',')];
  for (let row = 0; row < rows; row++) {
    const values = Array.from({ length: numbers }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
    const said = Array.from({ length: texts }, () => Array.from({ length: wordsOfText }, () => random.below(words.length)));
    const [a = 0, b = 0, c = 0] = values;
    const signal = a - b + a * c + ((said[0]?.[0] ?? 0) % 3) + 0.5 * (random.uniform() - 0.5);
    const share = Math.max(0, Math.min(0.9999, (signal + 2.5) / (texts > 0 ? 7 : 5)));
    const target = classes === 0 ? signal.toFixed(4) : `k${Math.floor(share * classes)}`;
    lines.push(
      [...values.map((value) => value.toFixed(4)), ...said.map((each) => each.map((word) => words[word]!).join(' ')), target].join(','),
    );
  }
  return `${lines.join('\n')}\n`;
}
