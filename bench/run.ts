/** `npm run bench` lists the comparisons, `npm run bench -- <name>` runs one, `npm run bench -- setup` installs the rivals. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Result } from './alternate.ts';
import { bench } from './python.ts';

/** A bench is a file whose name is one word and that has a default export; `x.ours.ts` and `x.rival.py` are parts of `x.ts`. */
const shared = ['run', 'alternate', 'python', 'data', 'quality', 'public-tables'];

const names = readdirSync(bench)
  .flatMap((file) => /^([a-z-]+)\.ts$/.exec(file)?.[1] ?? [])
  .filter((name) => !shared.includes(name))
  .sort();

const [name] = process.argv.slice(2);
if (name === undefined) console.log(['The comparisons are:', ...names, 'and setup, which installs the rivals in bench/.venv.'].join('\n'));
else if (name === 'setup') {
  run('python3', ['-m', 'venv', '.venv']);
  run(resolve(bench, '.venv/bin/pip'), ['install', '--quiet', '--requirement', 'requirements.txt']);
} else if (names.includes(name)) {
  const { default: compare } = (await import(`./${name}.ts`)) as { default: () => Promise<Result> };
  console.log(JSON.stringify(await compare()));
} else {
  console.log(`There is no comparison '${name}'; there are ${names.join(', ')}.`);
  process.exitCode = 1;
}

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: bench, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error });
}
