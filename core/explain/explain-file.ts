/**
 * `explain.bin` of a version: what its explanations need beside the graph. The length of a JSON head (uint32, little-endian), the head, and the
 * arrays that it names, each at a multiple of 8 bytes.
 */
import type { Preprocess } from '../features/preprocess.ts';
import type { RawRows } from '../serving/rows.ts';
import type { Additive } from './additive.ts';
import type { Ground } from './feature-shap.ts';

const format = 2;

export type ExplainData = { preprocess: Preprocess } /** The grounds of its parts, in their order. */ & (
  | { additive: Additive; grounds: Ground[] }
  /** Any other model. */
  | { background: RawRows }
);

const arrayTypes = { Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array } as const;
type ArrayName = keyof typeof arrayTypes;
type TypedArray = InstanceType<(typeof arrayTypes)[ArrayName]>;

/** Stands in the head for an array. */
interface Placed {
  array: ArrayName;
  at: number;
  length: number;
}

const aligned = (bytes: number) => Math.ceil(bytes / 8) * 8;

export function encodeExplainData(data: ExplainData): Uint8Array {
  const arrays: TypedArray[] = [];
  let end = 0;
  const place = (array: TypedArray): Placed => {
    const placed = { array: array.constructor.name as ArrayName, at: end, length: array.length };
    arrays.push(array);
    end += aligned(array.byteLength);
    return placed;
  };
  const isArray = (value: unknown): value is TypedArray => Object.values(arrayTypes).some((type) => value instanceof type);
  const text = JSON.stringify({ format, ...data }, (_, value: unknown) => (isArray(value) ? place(value) : value));
  const head = new TextEncoder().encode(text);
  const start = aligned(4 + head.length);
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = start;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  return bytes;
}

/** @returns undefined for a format of another Ingot */
export function decodeExplainData(bytes: Uint8Array): ExplainData | undefined {
  // A copy, since views want an aligned start. (Not slice: a Buffer's shares its memory.)
  const { buffer } = new Uint8Array(bytes);
  const length = new DataView(buffer).getUint32(0, true);
  const start = aligned(4 + length);
  // A category's value or a text's word may be 'array' too: those go with numbers.
  const isPlaced = (value: unknown): value is Placed =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'array') && typeof (value as Placed).array === 'string';
  const { format: found, ...data } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)), (_, value: unknown) =>
    isPlaced(value) ? new arrayTypes[value.array](buffer, start + value.at, value.length) : value,
  ) as ExplainData & { format: number };
  return found === format ? (data as ExplainData) : undefined;
}
