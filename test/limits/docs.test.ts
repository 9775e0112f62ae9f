import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/limits.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| limit'));
const testsOf = (row: string) =>
  [
    ...row
      .split('|')
      .at(-2)!
      .matchAll(/`([^`]+)`/g),
  ].map(([, path]) => (path!.includes('/') ? path! : `test/limits/${path}`));

test.each(rows)('has a test: %s', (row) => {
  const tests = testsOf(row);
  expect(tests.length).toBeGreaterThan(0);
  for (const path of tests) expect(existsSync(join(root, path)), path).toBe(true);
});

test('every test of a limit is listed', () => {
  const listed = new Set(rows.flatMap(testsOf));
  for (const file of readdirSync(import.meta.dirname).filter((name) => name !== 'docs.test.ts'))
    expect(listed).toContain(`test/limits/${file}`);
});
