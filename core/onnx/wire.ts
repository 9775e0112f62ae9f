/**
 * The two corners of protocol buffers' wire format that we read and write by hand (https://protobuf.dev/programming-guides/encoding):
 * packed numbers, which are half the size of the unpacked ones that onnx.proto's proto2 syntax asks for and which every parser must
 * accept, and the metadata of a model, which the server reads without a protobuf library and without touching the graph.
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
  const length = new VarintBuffer(10);
  length.int64(data.length);
  return { no, wireType: lengthDelimited, data: Buffer.concat([length.finish(), data]) };
}

/** A packed `repeated int64`. */
export function packedInts(no: number, values: Iterable<number | bigint> & { length: number }): RawField {
  const buffer = new VarintBuffer(values.length);
  for (const value of values) buffer.int64(value);
  return withLength(no, buffer.finish());
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

const modelMetadataField = 14;

/**
 * `metadata_props` of a serialized ModelProto.
 * @throws RangeError where the bytes are not a protobuf message
 */
export function readMetadata(model: Uint8Array): Map<string, string> {
  const entries = new Map<string, string>();
  for (const [no, data] of fields(model)) {
    if (no !== modelMetadataField) continue;
    let key = '';
    let value = '';
    for (const [part, text] of fields(data)) {
      if (part === 1) key = Buffer.from(text).toString('utf8');
      if (part === 2) value = Buffer.from(text).toString('utf8');
    }
    entries.set(key, value);
  }
  return entries;
}

/** The length-delimited fields of a message, in order; the others are passed over. */
function* fields(message: Uint8Array): Generator<[no: number, data: Uint8Array]> {
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
    const tag = varint();
    const no = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === lengthDelimited) {
      const length = varint();
      if (at + length > message.length) throw new RangeError('The bytes are not an ONNX model: a field is longer than they are.');
      yield [no, message.subarray(at, at + length)];
      at += length;
    } else throw new RangeError(`The bytes are not an ONNX model: wire type ${type}.`);
  }
}
