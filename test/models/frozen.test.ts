/** Models of every format that was ever written load, and answer as they did then. A new format gets a new file; none is ever rewritten. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { familyOf } from '../../core/models/families.ts';
import { numbersOf } from './data.ts';

const folder = resolve(import.meta.dirname, 'frozen');

interface Frozen {
  family: string;
  model: string;
  columns: number;
  x: number[];
  answers: number[];
}

test.each(readdirSync(folder))('%s answers as when it was written', async (file) => {
  const { family, model, columns, x, answers } = JSON.parse(readFileSync(resolve(folder, file), 'utf8')) as Frozen;
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  const fitted = familyOf(family).deserialize(Buffer.from(model, 'base64'));
  const predictions = await fitted.predict({ rows: x.length / columns, columns, names, data: Float32Array.from(x) });
  expect([...numbersOf(predictions)]).toEqual(answers);
});
