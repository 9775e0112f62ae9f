import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'ingot-synth-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the CDK's command line starts. */
const synthesize = (context: Record<string, string>) =>
  spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: home, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });

test('the app is one stack for any account and region, whose code lies where it was built', () => {
  const { status, stderr } = synthesize({ 'ingot:processor': 'native' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const { artifacts } = JSON.parse(readFileSync(join(home, 'manifest.json'), 'utf8')) as {
    artifacts: Record<string, { type: string; environment?: string }>;
  };
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  expect(stacks).toEqual([['Ingot', expect.objectContaining({ environment: 'aws://unknown-account/unknown-region' })]]);
  const { files } = JSON.parse(readFileSync(join(home, 'Ingot.assets.json'), 'utf8')) as {
    files: Record<string, { source: { path: string; packaging: string } }>;
  };
  const code = Object.values(files).filter(({ source }) => source.packaging === 'zip');
  expect(code).toHaveLength(3);
  for (const { source } of code) expect(isAbsolute(source.path) && existsSync(join(source.path, 'dist'))).toBe(true);
  expect(readdirSync(home).filter((name) => name.startsWith('asset.'))).toEqual([]);
});

test('a setting that does not exist stops it with what there is', () => {
  const { status, stderr } = synthesize({ 'ingot:procesor': 'native' });
  expect(status).not.toBe(0);
  expect(stderr).toContain('procesor: no such setting (there are processor, ');
});
