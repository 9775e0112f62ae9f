import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const module = resolve(import.meta.dirname, '../../functions/shared/end-by.ts');

/** Runs a program that may end itself. */
function run(program: string) {
  const { status, signal } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `import { endBy } from '${module}'; ${program}`],
    {
      timeout: 60_000,
    },
  );
  return { status, signal };
}

test('a process that never comes back is ended when its time is over', () => {
  expect(run('endBy(300); for (;;);')).toEqual({ status: null, signal: 'SIGKILL' });
});

test('one that is released in time goes on, and the clock keeps none alive', () => {
  expect(run('const release = endBy(500); release(); await new Promise((done) => setTimeout(done, 1500));')).toEqual({
    status: 0,
    signal: null,
  });
  expect(run('endBy(60_000);')).toEqual({ status: 0, signal: null });
});
