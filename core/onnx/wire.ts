/**
 * The corners of protocol buffers' wire format that we read and write by hand (https://protobuf.dev/programming-guides/encoding): packed
 * numbers, which are half the size of the unpacked ones that onnx.proto's proto2 syntax asks for and which every parser must accept; and
 * what the server reads and changes in a model, without a protobuf library and without looking into the trees.
 */

const lengthDelimited = 2;

export interface RawField {
  no: number;
  wireType: number;
  /** With its length in front. */
  data: Uint8Array;
}

/** A growing buffer of varints. */
class VarintBuffer {
  private bytes: Uint8Array;
  private length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity + 10);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** An int64, negative ones in ten bytes. */
  int64(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      let rest = value;
      while (rest > 127) {
        this.bytes[this.length++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      this.bytes[this.length++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.bytes[this.length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest);
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

function withLength(no: number, data: Uint8Array): RawField {
  return { no, wireType: lengthDelimited, data: Buffer.concat([writeVarints(data.length), data]) };
}

/** A packed `repeated int64`. */
export function packedInts(no: number, values: ArrayLike<number | bigint>): RawField {
  const buffer = new VarintBuffer(values.length * 2);
  for (let i = 0; i < values.length; i++) buffer.int64(values[i]!);
  return withLength(no, buffer.finish());
}

/** A `repeated string` of a few texts, each many times: the first one's tag is left to the writer, the others' are here. */
export function repeatedTexts(no: number, texts: readonly string[]): RawField | undefined {
  if (texts.length === 0) return undefined;
  const encoded = new Map<string, Uint8Array>();
  let size = 0;
  for (const text of texts) {
    if (!encoded.has(text)) encoded.set(text, writeField(no, text));
    size += encoded.get(text)!.length;
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const text of texts) {
    const field = encoded.get(text)!;
    data.set(field, at);
    at += field.length;
  }
  const tag = writeVarints(no * 8 + lengthDelimited).length;
  return { no, wireType: lengthDelimited, data: data.subarray(tag) };
}

/** A packed `repeated float`. */
export function packedFloats(no: number, values: readonly number[] | Float32Array): RawField {
  return withLength(no, floatBytes(values));
}

/** Little-endian float32, as in a tensor's raw_data too. */
export function floatBytes(values: readonly number[] | Float32Array): Uint8Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  return new Uint8Array(floats.buffer.slice(floats.byteOffset, floats.byteOffset + floats.byteLength));
}

/** Little-endian float64, as in a tensor's raw_data. */
export function doubleBytes(values: readonly number[] | Float64Array): Uint8Array {
  const doubles = values instanceof Float64Array ? values : Float64Array.from(values);
  return new Uint8Array(doubles.buffer.slice(doubles.byteOffset, doubles.byteOffset + doubles.byteLength) as ArrayBuffer);
}

/** Field numbers of onnx.proto. */
export const fieldNumbers = {
  model: { graph: 7, metadata: 14 },
  graph: { node: 1, input: 11 },
  node: { input: 1, output: 2, opType: 4 },
  valueInfo: { name: 1, type: 2 },
} as const;

export interface Field {
  no: number;
  /** The whole field, as it is written. */
  raw: Uint8Array;
  /** Its content, where it is bytes, text or a message. */
  data: Uint8Array | undefined;
}

/**
 * `metadata_props` of a serialized ModelProto.
 * @throws RangeError where the bytes are not a protobuf message
 */
export function readMetadata(model: Uint8Array): Map<string, string> {
  const entries = new Map<string, string>();
  for (const { no, data } of readFields(model)) {
    if (no !== fieldNumbers.model.metadata || data === undefined) continue;
    const [key = '', value = ''] = [1, 2].map((part) => textFields(data, part)[0]);
    entries.set(key, value);
  }
  return entries;
}

/** The values of a repeated string. */
export function textFields(message: Uint8Array, no: number): string[] {
  const texts: string[] = [];
  for (const field of readFields(message)) if (field.no === no && field.data) texts.push(Buffer.from(field.data).toString('utf8'));
  return texts;
}

/** A field of bytes, text or a message. */
export function writeField(no: number, ...content: (Uint8Array | string)[]): Uint8Array {
  const data = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([writeVarints(no * 8 + lengthDelimited, data.length), data]);
}

/** A field of an integer. */
export function writeInt(no: number, value: number): Uint8Array {
  return writeVarints(no * 8, value);
}

function writeVarints(...values: number[]): Uint8Array {
  const buffer = new VarintBuffer(values.length);
  for (const value of values) buffer.int64(value);
  return buffer.finish();
}

/** The fields of a message, in order. @throws RangeError where the bytes are not a protobuf message */
export function* readFields(message: Uint8Array): Generator<Field, undefined> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('The bytes are not an ONNX model: they end inside a field.');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const type = tag % 8;
    let data: Uint8Array | undefined;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === lengthDelimited) {
      const length = varint();
      data = message.subarray(at, at + length);
      at += length;
    } else throw new RangeError(`The bytes are not an ONNX model: wire type ${type}.`);
    if (at > message.length) throw new RangeError('The bytes are not an ONNX model: a field is longer than they are.');
    yield { no: Math.floor(tag / 8), raw: message.subarray(start, at), data };
  }
}
