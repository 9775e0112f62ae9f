/** `$INGOT_HOME`: the directory that holds all state of the laptop cloud, held by one process at a time. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  while (!claim(path)) {
    const [pid, startedAt] = readText(path)?.split(' ') ?? [];
    if (pid !== undefined && isAlive(Number(pid), startedAt)) {
      throw new IngotError('Conflict', `Another Ingot (process ${pid}) is running on ${home}.`, {
        where: path,
        fix: 'Use that one, stop it first, or start this one with another INGOT_HOME and INGOT_PORT.',
      });
    }
    rmSync(path, { force: true });
  }
  return () => rmSync(path, { force: true });
}

function claim(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid} ${startTime(process.pid)}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid: number, startedAt: string | undefined): boolean {
  try {
    process.kill(pid, 0);
    return startTime(pid) === startedAt;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && startTime(pid) === startedAt;
  }
}

/** When a process began (field 22 of proc(5)'s stat), since after a reboot its number belongs to another; '' where /proc is not there. */
function startTime(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The records of a file to which lines of JSON are appended, but for one that a crash cut off. */
export function readJsonLines<T>(path: string): T[] {
  return (readText(path) ?? '').split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
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
