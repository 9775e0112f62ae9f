import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withScratch } from '../../functions/shared/scratch.ts';

test('a directory is there for the work alone, and what killed processes left goes with the first', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const [left, alive] = [pid, process.ppid].map((owner) => join(tmpdir(), `ingot-scratch-${owner}-test${process.pid}`)) as [string, string];
  for (const folder of [left, alive]) mkdirSync(folder);
  const used = await withScratch(async (directory) => {
    writeFileSync(join(directory, 'file'), 'x');
    return directory;
  });
  expect([used, left, alive].map((path) => existsSync(path))).toEqual([false, false, true]);
  rmdirSync(alive);
  await expect(
    withScratch(async () => {
      throw new Error('failed');
    }),
  ).rejects.toThrow('failed');
});
