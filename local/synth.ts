/** Synthesizes the app for this machine, unless that was done already with the same sources. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/errors.ts';
import { readStack } from './template/template.ts';

const root = join(import.meta.dirname, '..');

/** What the template and the bundles are made of. */
const sources = ['package-lock.json', 'cdk.json', '{aws,containers,console,core,functions,infra}/**/*'];

/** Assemblies of other sources that are kept; the newest. */
const kept = 3;

/**
 * @param context settings of `infra/config.ts` besides the processor.
 * @returns the directory of the assembly, under `.build/laptop`.
 * @throws IngotError Internal with what the app printed, where it fails.
 */
export function synthesize(context: Record<string, string | number> = {}): string {
  const settings = { processor: 'native', ...context };
  const directory = join(root, '.build', 'laptop');
  const assembly = join(directory, hashOf(JSON.stringify(settings)));
  if (isWhole(assembly)) return assembly;
  mkdirSync(directory, { recursive: true });
  const temporary = `${assembly}.${process.pid}.tmp`;
  const cdk = {
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`ingot:${name}`, value])),
    // The assets stay where they were built: nothing is copied, and nothing zipped, for this machine.
    'aws:cdk:disable-asset-staging': true,
  };
  const { status, stderr, stdout } = spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: root,
    env: { ...process.env, CDK_OUTDIR: temporary, CDK_CONTEXT_JSON: JSON.stringify(cdk) },
    encoding: 'utf8',
  });
  if (status !== 0 && !existsSync(join(temporary, 'manifest.json'))) {
    throw new IngotError('Internal', `The stack cannot be synthesized:\n${stderr || stdout}`, {
      where: 'infra/app.ts',
      fix: 'Try npx cdk synth.',
    });
  }
  settle(temporary, assembly);
  forget(directory);
  return assembly;
}

/** Gives it its name, unless another process was faster with the same. */
function settle(temporary: string, assembly: string): void {
  try {
    if (!isWhole(assembly)) rmSync(assembly, { recursive: true, force: true });
    renameSync(temporary, assembly);
  } catch (error) {
    if (!isWhole(assembly)) throw error;
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Whether it is there, and the assets that it was built with still are. */
function isWhole(assembly: string): boolean {
  return existsSync(join(assembly, 'manifest.json')) && [...readStack(assembly).assets.values()].every(existsSync);
}

function hashOf(settings: string): string {
  const hash = createHash('sha256').update(`${settings}\0${process.version}\0${process.platform}-${process.arch}\0`);
  const files = globSync(sources, { cwd: root }).filter((file) => statSync(join(root, file)).isFile());
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

function forget(directory: string): void {
  const age = (name: string) => statSync(join(directory, name)).mtimeMs;
  const old = readdirSync(directory)
    .sort((a, b) => age(b) - age(a))
    .slice(kept);
  for (const name of old) rmSync(join(directory, name), { recursive: true, force: true });
}
