/** `$INGOT_HOME`: the directory that holds all state of the laptop cloud, held by one process at a time. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IngotError } from '../core/errors.ts';

/**
 * Takes the home for this process.
 * @returns a function that gives it back.
 * @throws IngotError Conflict where a living process holds it.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true });
  const path = join(home, 'lock');
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    const holder = Number(readText(path));
    if (isAlive(holder)) {
      throw new IngotError('Conflict', `Another Ingot (process ${holder}) is running on ${home}.`, {
        where: path,
        fix: 'Use that one, stop it first, or start this one with another INGOT_HOME and INGOT_PORT.',
      });
    }
    rmSync(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return isIngot(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** After a reboot the number in an old lock may belong to some other program; where /proc tells, ask it. */
function isIngot(pid: number): boolean {
  const command = readText(`/proc/${pid}/cmdline`);
  return command === undefined || command === '' || command.includes('node');
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Written whole or not at all, and on the disk when this resolves. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** As `writeDurably`, for the few places that cannot wait. */
export function writeDurablySync(path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = openSync(temporary, 'w');
  writeFileSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
}

/** A rename is only durable once its directory is; Windows cannot open directories and needs no such thing. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A directory with one JSON file a record: small sets of records that must outlive a crash. */
export class RecordDirectory<T> {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) if (name.endsWith('.tmp')) rmSync(join(directory, name), { force: true });
  }

  put(id: string, record: T): Promise<void> {
    return writeDurably(this.#path(id), JSON.stringify(record));
  }

  get(id: string): T | undefined {
    const text = readText(this.#path(id));
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true });
  }

  all(): { id: string; record: T }[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => {
        const id = decodeURIComponent(name.slice(0, -'.json'.length));
        return { id, record: this.get(id)! };
      });
  }

  #path(id: string): string {
    return join(this.#directory, `${encodeURIComponent(id)}.json`);
  }
}
