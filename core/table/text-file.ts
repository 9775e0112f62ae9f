/** Files of text, read in a stream: unpacked, decoded to UTF-8, cut into lines. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { byteOrderMark } from './csv-records.ts';
import type { Encoding } from './sniff.ts';

/** The first bytes of a file. */
export async function readHead(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last bytes of a file of `size` bytes. */
export async function readTail(path: string, size: number, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(Math.min(size, length));
    await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer;
  } finally {
    await file.close();
  }
}

/** Unpacks gzip (of any number of members). Rejects where the file is cut off or damaged: zlib checks length and checksum. */
export const gunzipFile = (path: string, to: string) =>
  pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), createGunzip({ chunkSize: 1 << 20 }), createWriteStream(to));

/**
 * The lines of a file in batches, as UTF-8 without byte order mark. A line ends with LF, CR LF or a lone CR, and is given with its end.
 */
export async function* lineBatches(path: string, encoding: Encoding): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of utf8Chunks(path, encoding)) {
    const buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines: Buffer[] = [];
    let at = 0;
    let lf = buffer.indexOf(10);
    let cr = buffer.indexOf(13);
    for (;;) {
      let end = lf < 0 || (cr >= 0 && cr < lf) ? cr : lf;
      // A CR that ends the chunk may be half of a CR LF.
      if (end < 0 || (end === cr && end === buffer.length - 1)) break;
      if (end === cr && lf === cr + 1) end = lf;
      lines.push(buffer.subarray(at, end + 1));
      at = end + 1;
      if (lf >= 0 && lf < at) lf = buffer.indexOf(10, at);
      if (cr >= 0 && cr < at) cr = buffer.indexOf(13, at);
    }
    rest = buffer.subarray(at);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}

/** A file as UTF-8 without byte order mark. */
export async function* utf8Chunks(path: string, encoding: Encoding): AsyncGenerator<Buffer> {
  const start = (await readHead(path, 3)).equals(Buffer.from(byteOrderMark)) ? 3 : 0;
  const chunks = createReadStream(path, { start, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  if (encoding === 'utf-8') {
    yield* chunks;
    return;
  }
  const decoder = new TextDecoder(encoding === 'latin-1' ? 'windows-1252' : encoding);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}
