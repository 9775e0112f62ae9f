/** What docs/deploy.md and its neighbours say of commands and settings, held against the command line and the configuration. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../../infra/config.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = ['README.md', 'docs/deploy.md', 'docs/runbook.md', 'docs/limits.md', 'docs/scale.md', 'docs/laptop.md'];
const text = pages.map((page) => readFileSync(join(root, page), 'utf8')).join('\n');
const settings = /\(there are (.*?)\)/.exec(messageOf(() => parseConfig({ nobody: 1 })))![1]!.split(', ');

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Nothing was thrown.');
}

it('every setting that the pages name is one', () => {
  const named = new Set([...text.matchAll(/\bingot:(\w+)/g)].map(([, name]) => name!));
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((name) => !settings.includes(name))).toEqual([]);
});

it('the CDK’s commands that they show have the options that they show', () => {
  const shown = [...text.matchAll(/npx cdk (\w+)([^`\n&#]*)/g)].map(([, command, rest]) => ({
    command: command!,
    options: [...rest!.matchAll(/(?<=\s)--?[a-z][\w-]*/g)].map(([option]) => option),
  }));
  expect(new Set(shown.map(({ command }) => command))).toEqual(new Set(['bootstrap', 'deploy', 'diff', 'destroy']));
  for (const [command, uses] of Map.groupBy(shown, (each) => each.command)) {
    const help = execFileSync(join(root, 'node_modules/.bin/cdk'), [command, '--help'], {
      encoding: 'utf8',
      env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    });
    const known = new Set(help.split(/[\s,]+/));
    expect(uses.flatMap(({ options }) => options).filter((option) => !known.has(option))).toEqual([]);
  }
}, 60_000);
