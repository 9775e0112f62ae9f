import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs work with a directory of its own, which is gone afterwards: a warm Lambda keeps `/tmp` from one event to the next. What processes
 * that were killed have left is removed too, as a directory's name tells whose it is.
 */
export async function withScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  sweeping ??= sweep();
  await sweeping;
  const directory = await mkdtemp(join(tmpdir(), `ingot-scratch-${process.pid}-`));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Once a process, before it has a directory: one that bears its id was another's. */
let sweeping: Promise<void> | undefined;

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(/^ingot-scratch-(\d+)-/.exec(name)?.[1]);
    if (owner && (owner === process.pid || !isAlive(owner))) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's, and alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
