import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { generated } from '../../docs/generate.ts';

test.each(Object.entries(generated))('docs/%s is what the code says (node docs/generate.ts writes it)', (name, text) => {
  // The formatter aligns tables and folds short lists: what counts is what is said.
  const read = name.endsWith('.json') ? JSON.parse : (page: string) => page.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
  expect(read(readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8'))).toEqual(read(text));
});
