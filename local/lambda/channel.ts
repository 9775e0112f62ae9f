/**
 * The channel between the gateway and a function's process: frames of a little-endian u32 length and that many bytes, the first
 * of which is the kind. Lean, because every prediction crosses it twice.
 */
export const frameKinds = { invoke: 0, result: 1, error: 2, ready: 3, broken: 4 } as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export function encodeFrame(kind: FrameKind, text: string): Buffer {
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(size + 5);
  frame.writeUInt32LE(size + 1, 0);
  frame[4] = kind;
  frame.write(text, 5);
  return frame;
}

/** Cuts a stream of chunks into frames. */
export class FrameReader {
  readonly #onFrame: (kind: FrameKind, text: string) => void;
  #pending: Buffer[] = [];
  #size = 0;

  constructor(onFrame: (kind: FrameKind, text: string) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed()) return;
    const buffer = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending);
    let offset = 0;
    while (buffer.length - offset >= 5) {
      const end = offset + 4 + buffer.readUInt32LE(offset);
      if (end > buffer.length) break;
      const kind = buffer[offset + 4] as FrameKind;
      const text = buffer.toString('utf8', offset + 5, end);
      offset = end;
      this.#onFrame(kind, text);
    }
    this.#size = buffer.length - offset;
    this.#pending = this.#size === 0 ? [] : [buffer.subarray(offset)];
  }

  /** Bytes until something can be cut off: a large frame is joined once, not with every chunk. */
  #needed(): number {
    const first = this.#pending[0]!;
    return first.length < 4 ? 5 : 4 + first.readUInt32LE(0);
  }
}
