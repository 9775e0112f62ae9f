import { createHash } from 'node:crypto';
import { S3Error } from './errors.ts';
import { hmac, type Signed, sameSignature, sha256 } from './sigv4.ts';

/** Longest line between chunks: a size, a signature or a trailer. */
const longestLine = 4096;

/**
 * Takes the aws-chunked coding off a body: `<size>[;chunk-signature=…]` lines, chunks, then trailers. Bytes are passed on before
 * their chunk's signature is known to be right; where it isn't this throws, and the caller drops what it has.
 *
 * @param signed verifies the signatures of chunks and trailers; undefined for the unsigned coding. A stranger's are passed over
 * @param trailers receives the trailing headers, names in lower case
 * @throws S3Error IncompleteBody, SignatureDoesNotMatch
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  signed: Signed | undefined,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const input = new Input(source);
  const verify = signed?.key && chunkVerifier(signed, signed.key);
  for (;;) {
    const line = await input.line();
    const match = /^([0-9a-fA-F]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (!match || (verify && match[2] === undefined)) throw new S3Error('IncompleteBody', 'The aws-chunked body is malformed.');
    const size = Number.parseInt(match[1]!, 16);
    const hash = createHash('sha256');
    for (let left = size; left > 0; ) {
      const bytes = await input.upTo(left);
      left -= bytes.length;
      if (verify) hash.update(bytes);
      yield bytes;
    }
    verify?.('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${hash.digest('hex')}`, match[2]!);
    if (size === 0) break;
    if ((await input.line()) !== '') throw new S3Error('IncompleteBody', 'The aws-chunked body is malformed.');
  }
  let canonical = '';
  for (let line = await input.lineOrEnd(); line; line = await input.lineOrEnd()) {
    const [name, value = ''] = line.trim().split(/:(.*)/s);
    if (name === 'x-amz-trailer-signature') verify?.('AWS4-HMAC-SHA256-TRAILER', sha256(canonical), value.trim());
    else {
      trailers.set(name!.toLowerCase(), value.trim());
      canonical += `${name!.toLowerCase()}:${value.trim()}\n`;
    }
  }
}

/** Each signature is over the one before it: chunks can't be left out, added or swapped. */
function chunkVerifier({ scope, date, signature }: Signed, key: Buffer): (kind: string, content: string, expected: string) => void {
  let before = signature;
  return (kind, content, expected) => {
    const computed = hmac(key, [kind, date, scope, before, content].join('\n')).toString('hex');
    if (!sameSignature(computed, expected)) throw new S3Error('SignatureDoesNotMatch');
    before = computed;
  };
}

class Input {
  private readonly chunks: AsyncIterator<Buffer>;
  private buffered: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  async upTo(size: number): Promise<Buffer> {
    if (this.buffered.length === 0 && !(await this.more())) throw new S3Error('IncompleteBody');
    const bytes = this.buffered.subarray(0, size);
    this.buffered = this.buffered.subarray(bytes.length);
    return bytes;
  }

  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === undefined) throw new S3Error('IncompleteBody');
    return line;
  }

  async lineOrEnd(): Promise<string | undefined> {
    for (;;) {
      const end = this.buffered.indexOf('\r\n');
      if (end >= 0) {
        const line = this.buffered.toString('latin1', 0, end);
        this.buffered = this.buffered.subarray(end + 2);
        return line;
      }
      if (this.buffered.length > longestLine) throw new S3Error('IncompleteBody', 'The aws-chunked body is malformed.');
      if (!(await this.more())) return undefined;
    }
  }

  private async more(): Promise<boolean> {
    const next = await this.chunks.next();
    if (next.done) return false;
    this.buffered = this.buffered.length === 0 ? next.value : Buffer.concat([this.buffered, next.value]);
    return true;
  }
}
