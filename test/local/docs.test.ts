import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { subscriptionProtocols } from '../../local/messaging/topic.ts';
import { meaninglessTypes, supportedTypes } from '../../local/resources.ts';

const page = readFileSync(new URL('../../docs/laptop.md', import.meta.url), 'utf8');
const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

/** The lines under a heading. */
function section(heading: string): string[] {
  const start = page.indexOf(`## ${heading}\n`);
  if (start < 0) throw new Error(`docs/laptop.md has no heading '${heading}'.`);
  const after = page.slice(start + heading.length + 4);
  return after.slice(0, after.search(/\n## |$(?![\s\S])/)).split('\n');
}

test('docs/laptop.md lists every type that the laptop cloud runs, with what it does and what it passes over', () => {
  const rows = Object.entries(supportedTypes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, { properties, meaningless = [] }]) => `| \`${type}\` | ${code(properties)} | ${code(meaningless)} |`);
  expect(section('Resource types').filter((line) => line.startsWith('| `'))).toEqual(rows);
});

test('docs/laptop.md lists every type that means nothing on a laptop', () => {
  expect(section('Types that mean nothing here').filter((line) => line.startsWith('- '))).toEqual(
    meaninglessTypes.map((type) => `- \`${type}\``),
  );
});

test('docs/laptop.md names the protocols of subscriptions', () => {
  expect(page).toContain(code(subscriptionProtocols));
});
