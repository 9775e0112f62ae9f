import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/** Makes the names in a folder durable: a file's own fsync doesn't promise that its name survives. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders can't be opened there; NTFS journals names itself
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

interface Waiting<R> {
  records: R[];
  applied: () => void;
  failed: (error: unknown) => void;
}

/**
 * An append-only log of records, the one place where a change becomes true. A line is `<crc32> <JSON array>`: one group commit,
 * one write and one fsync however many callers wait. A kill in the middle of a write leaves one torn last line, which opening
 * cuts off; nobody was told that it had happened.
 */
export class Journal<R> {
  private readonly path: string;
  private readonly apply: (record: R) => void;
  private readonly snapshot: () => Iterable<R>;
  private readonly rewriteAbove: number;
  private file: FileHandle | undefined;
  private size = 0;
  private rewriteAt = 0;
  private queue: Waiting<R>[] = [];
  private running: Promise<void> | undefined;
  private broken: unknown;

  private constructor(path: string, apply: (record: R) => void, snapshot: () => Iterable<R>, rewriteAbove: number) {
    this.path = path;
    this.rewriteAbove = rewriteAbove;
    this.apply = apply;
    this.snapshot = snapshot;
  }

  /**
   * Opens or creates the log: replays it, then writes it anew without what is past and without a torn end.
   *
   * @param apply takes a record into the state in memory; called when the record is on disk, in the order of the log
   * @param snapshot the records that make the state of now
   * @param rewriteAbove bytes from which on the log is written anew when it is four times its live part
   * @throws where a line that isn't the last is damaged: then the disk lost what it had promised, and a person must look
   */
  static async open<R>(
    path: string,
    apply: (record: R) => void,
    snapshot: () => Iterable<R>,
    rewriteAbove = 64 << 20,
  ): Promise<Journal<R>> {
    let read = 0;
    let torn = false;
    for await (const line of existsSync(path) ? lines(path) : []) {
      if (torn) {
        throw new Error(`${path} is damaged at byte ${read}, before its last line: restore it from a copy, or remove the folder it is in.`);
      }
      const records = parseLine<R>(line);
      if (records) for (const record of records) apply(record);
      else torn = true;
      if (!torn) read += line.length + 1;
    }
    const journal = new Journal(path, apply, snapshot, rewriteAbove);
    await journal.rewrite();
    return journal;
  }

  /** Resolves when the records are on disk and applied; rejects, with nothing applied, where the disk refused them. */
  append(records: R[]): Promise<void> {
    return new Promise((applied, failed) => {
      this.queue.push({ records, applied, failed });
      this.running ??= this.run();
    });
  }

  async close(): Promise<void> {
    await this.running;
    this.broken ??= new Error('closed');
    await this.file?.close();
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0);
      try {
        await this.commit(batch.flatMap((waiting) => waiting.records));
      } catch (error) {
        for (const waiting of batch) waiting.failed(error);
        continue;
      }
      for (const waiting of batch) {
        for (const record of waiting.records) this.apply(record);
        waiting.applied();
      }
      // Where there is no room for the new log the old one goes on.
      if (this.size > this.rewriteAt) await this.rewrite().catch(() => (this.rewriteAt = 2 * this.size));
    }
    this.running = undefined;
  }

  private async commit(records: R[]): Promise<void> {
    const { file } = this;
    if (!file || this.broken !== undefined) {
      throw new Error('The journal takes no more records since an earlier write failed.', { cause: this.broken });
    }
    const line = formatLine(records);
    try {
      await file.appendFile(line);
      await file.datasync();
    } catch (error) {
      // What a failed write or fsync left is unknown: cut it off, and where even that fails, promise nothing more.
      await file.truncate(this.size).then(
        () => file.datasync(),
        () => (this.broken = error),
      );
      throw error;
    }
    this.size += line.length;
  }

  /** Replaces the log by a snapshot of the state; a kill leaves the old one or the new one. */
  private async rewrite(): Promise<void> {
    const fresh = `${this.path}.new`;
    const file = await open(fresh, 'w');
    let size = 0;
    let batch: R[] = [];
    const flush = async () => {
      const line = formatLine(batch);
      await file.appendFile(line);
      size += line.length;
      batch = [];
    };
    for (const record of this.snapshot()) {
      batch.push(record);
      if (batch.length === 2000) await flush();
    }
    if (batch.length > 0) await flush();
    await file.sync();
    await file.close();
    await this.file?.close(); // before the rename: Windows keeps open files' names
    this.file = undefined;
    await rename(fresh, this.path);
    await syncFolder(dirname(this.path));
    this.file = await open(this.path, 'a');
    this.size = size;
    this.rewriteAt = Math.max(this.rewriteAbove, 4 * size);
  }
}

function formatLine(records: unknown[]): Buffer {
  const json = Buffer.from(JSON.stringify(records));
  return Buffer.concat([Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} `), json, Buffer.from('\n')]);
}

function parseLine<R>(line: Buffer): R[] | undefined {
  const json = line.subarray(9);
  if (line[8] !== 0x20 || crc32(json).toString(16).padStart(8, '0') !== line.toString('latin1', 0, 8)) return undefined;
  return JSON.parse(json.toString()) as R[];
}

/** The file's lines as bytes; a last line without its newline is given as an empty one, for it can't be whole. */
async function* lines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.alloc(0);
}
