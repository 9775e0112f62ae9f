/** `privacy.ours.ts <cases>`: which columns are taken for personal, and which texts have something masked. */
import { readFileSync } from 'node:fs';
import { wordsOf } from '../core/table/detect/column-sample.ts';
import { kindOf, mask, textFinders } from '../core/table/detect/personal.ts';
import type { Cases } from './privacy.ts';

const { columns, texts } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Cases;
const started = performance.now();
// As in cleaning: a column is of one kind, or has texts with personal data inside.
const found = columns.map(({ name, values }) => {
  const trimmed = [...new Set(values.map((value) => value.trim()))];
  const kind = kindOf({ words: wordsOf(name), values: trimmed, isNumber: false });
  if (kind !== undefined) return true;
  const finders = textFinders(trimmed);
  return trimmed.some((value) => mask(value, finders) !== value);
});
const masked = texts.map(({ text }) => mask(text) !== text);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, found, masked }));
