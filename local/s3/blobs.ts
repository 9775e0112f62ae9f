import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './journal.ts';

/** Bytes that never change, in a file of their own; an object's body is a list of them, one a part. */
export interface Segment {
  /** The file's name; empty where the bytes are in `inline`. */
  id: string;
  size: number;
  /** base64. Few bytes go into the journal with their object's record: one fsync instead of three. */
  inline?: string;
}

/** Most bytes kept in the journal, and so in memory: what pointers and small JSON need. */
const mostInline = 2048;

/**
 * Bodies on disk, under random names: no key, bucket name or anything else that a client sends is ever part of a path.
 * A file lives as long as something refers to it: objects that share it (a copy writes nothing), and readers in the middle of it.
 */
export class Blobs {
  private readonly root: string;
  private readonly references = new Map<string, number>();
  /** Until the journal is replayed a file may seem unused that a later record refers to: nothing is removed before `sweep`. */
  private swept = false;

  private constructor(root: string) {
    this.root = root;
  }

  static async open(root: string): Promise<Blobs> {
    for (let i = 0; i < 256; i++) await mkdir(join(root, i.toString(16).padStart(2, '0')), { recursive: true });
    await syncFolder(root);
    return new Blobs(root);
  }

  /**
   * Streams a body into a new file and makes it durable. Nothing refers to it yet: `retain` or `discard` it.
   *
   * @param observe sees each chunk while it is being written, for hashes
   * @throws what the source throws; then no file is left
   */
  async write(source: AsyncIterable<Uint8Array>, observe: (chunk: Uint8Array) => void): Promise<Segment[]> {
    const id = randomBytes(16).toString('hex');
    let file: FileHandle | undefined;
    let size = 0;
    let small: Uint8Array[] = [];
    try {
      for await (const chunk of source) {
        size += chunk.length;
        if (size <= mostInline) {
          small.push(chunk);
          observe(chunk);
          continue;
        }
        file ??= await open(this.path(id), 'wx');
        const written = this.writeAll(file, [...small, chunk]);
        small = [];
        observe(chunk); // hashed while the disk works
        await written;
      }
      if (size === 0) return [];
      if (!file) return [{ id: '', size, inline: Buffer.concat(small).toString('base64') }];
      await Promise.all([file.datasync(), syncFolder(join(this.root, id.slice(0, 2)))]);
      await file.close();
      return [{ id, size }];
    } catch (error) {
      if (file) {
        await file.close().catch(() => undefined);
        await unlink(this.path(id)).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Streams bytes `from` to `to` (exclusive) of the segments laid end to end. The caller holds them by `retain`. */
  async *read(segments: Segment[], from: number, to: number): AsyncGenerator<Buffer> {
    let start = 0;
    for (const { id, size, inline } of segments) {
      const first = Math.max(from - start, 0);
      const last = Math.min(to - start, size) - 1;
      if (first <= last && inline !== undefined) yield Buffer.from(inline, 'base64').subarray(first, last + 1);
      else if (first <= last)
        yield* createReadStream(this.path(id), { start: first, end: last, highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
      start += size;
    }
  }

  retain(segments: Segment[]): void {
    for (const { id } of inFiles(segments)) this.references.set(id, (this.references.get(id) ?? 0) + 1);
  }

  release(segments: Segment[]): void {
    for (const segment of inFiles(segments)) {
      const left = (this.references.get(segment.id) ?? 0) - 1;
      if (left > 0) this.references.set(segment.id, left);
      else {
        this.references.delete(segment.id);
        this.discard([segment]);
      }
    }
  }

  /** Removes files that nothing will refer to. Where that fails, or we are killed before, `sweep` does it at the next start. */
  discard(segments: Segment[]): void {
    if (!this.swept) return;
    for (const { id } of inFiles(segments)) unlink(this.path(id)).catch(() => undefined);
  }

  /** Removes what no object refers to: bodies whose put was never acknowledged. For the start, before any write. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const folder of await readdir(this.root)) {
      for (const id of await readdir(join(this.root, folder))) {
        if (this.references.has(id)) continue;
        await unlink(this.path(id));
        removed++;
      }
    }
    this.swept = true;
    return removed;
  }

  private async writeAll(file: FileHandle, chunks: Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
    }
  }

  private path(id: string): string {
    return join(this.root, id.slice(0, 2), id);
  }
}

const inFiles = (segments: Segment[]) => segments.filter(({ inline }) => inline === undefined);
