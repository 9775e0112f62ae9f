/** A model in memory that answers: an onnxruntime session and the card that the graph carries. */
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import type { Answered } from '../answers/answers.ts';
import { decide } from '../answers/decision.ts';
import { IngotError } from '../errors.ts';
import { writeNumber } from '../features/number-formats.ts';
import { type CardColumn, cardKey, type ModelCard } from '../onnx/card.ts';
import { type FusedModel, fuseInputs } from '../onnx/fuse-inputs.ts';
import { outputNames } from '../onnx/outputs.ts';
import { readMetadata } from '../onnx/wire.ts';
import { type RawRows, RowSchema } from './rows.ts';

export type Label = string | number | boolean;

/** One row's answer; sets and intervals are of models that have a coverage. */
export type Prediction =
  | { label: Label; probabilities: Record<string, number>; set?: Label[] }
  | { value: number; interval?: [from: number, to: number] };

export interface SessionOptions {
  /** Threads inside an operator. One is fastest for the small models and requests that a function serves. */
  threads?: number;
}

/**
 * @param bytes a model.onnx that Ingot wrote
 * @throws IngotError InvalidRequest where onnxruntime can't load it or it has no card
 */
export async function loadModel(bytes: Uint8Array, { threads = 1 }: SessionOptions = {}): Promise<Predictor> {
  initOrt();
  const session = new binding.InferenceSession();
  try {
    const text = readMetadata(bytes).get(cardKey);
    if (text === undefined) throw new RangeError(`its metadata has no '${cardKey}'.`);
    const card = JSON.parse(text) as ModelCard;
    const fused = fuseInputs(bytes, new Set(card.columns.flatMap((column) => (isFloat32(column) ? [column.input] : []))));
    const { buffer, byteOffset, byteLength } = fused?.bytes ?? bytes;
    session.loadModel(buffer as ArrayBuffer, byteOffset, byteLength, { intraOpNumThreads: threads, interOpNumThreads: 1 });
    return new Predictor(session, card, fused);
  } catch (cause) {
    throw new IngotError('InvalidRequest', `The model cannot be loaded: ${(cause as Error).message}`, { where: 'model.onnx', cause });
  }
}

const isFloat32 = ({ type, wide, written }: CardColumn) => type === 'number' && !wide && !written;

/** A machine of 10,000 support vectors has 80 KB of kernels a row, in a few tensors at a time. */
const mostRows = 1024;

type Tensor = Parameters<Binding.InferenceSession['run']>[0][string];

/** The binding reads these four properties of a tensor and no other. */
function tensor(type: 'float32' | 'float64' | 'string', data: Float32Array | Float64Array | string[], dims: number[]): Tensor {
  return { location: 'cpu', type, data, dims } as unknown as Tensor;
}

/**
 * onnxruntime-node's own `run` waits a turn of the event loop and checks every tensor before it calls the binding, which computes at
 * once: for one row of a small model that is half of the time. Here the binding is called directly, and so `predict` answers without a promise.
 */
export class Predictor {
  readonly card: ModelCard;
  readonly schema: RowSchema;
  /** The classes as answers write them. */
  readonly labels: readonly Label[];
  private readonly session: Binding.InferenceSession;
  private readonly fetches: Record<string, null>;
  /** The input that holds numbers side by side, and the columns in it. */
  private readonly matrix: { input: string; columns: number[] } | undefined;
  /** The columns with an input of their own. */
  private readonly single: { input: string; column: number }[];
  /** The columns of free text. */
  private readonly texts: number[];

  constructor(session: Binding.InferenceSession, card: ModelCard, fused: FusedModel | undefined) {
    this.session = session;
    this.card = card;
    this.schema = new RowSchema(card);
    this.labels = (card.classes ?? []).map((name) => writeLabel(name, card.classType));
    const [numbers, honest] =
      card.task === 'regression' ? [outputNames.value, outputNames.interval] : [outputNames.probabilities, outputNames.set];
    this.fetches = { [numbers]: null, ...(card.coverage !== undefined && { [honest]: null }) };
    const place = new Map(card.columns.map(({ input }, column) => [input, column]));
    this.texts = card.columns.flatMap(({ type }, column) => (type === 'text' ? [column] : []));
    this.matrix = fused && { input: fused.input, columns: fused.columns.map((input) => place.get(input)!) };
    this.single = card.columns.flatMap((each, column) => (fused && isFloat32(each) ? [] : [{ input: each.input, column }]));
  }

  /** The answers of all rows, as the graph gives them; many rows in parts, for what a graph holds in between grows with them. */
  run(asked: RawRows): Answered {
    const chunks = chunksOf(asked, this.texts);
    const outputs = chunks.map((rows) => this.outputsOf(rows));
    const take = <T extends Float32Array | Uint8Array>(name: string) => joined(outputs.map((output) => output[name]?.data as T));
    if (this.card.task === 'regression') {
      const interval = this.card.coverage === undefined ? undefined : take<Float32Array>(outputNames.interval);
      return { task: 'regression', values: take<Float32Array>(outputNames.value), ...(interval && { interval }) };
    }
    const classes = this.labels.length;
    const probabilities = take<Float32Array>(outputNames.probabilities);
    const set = this.card.coverage === undefined ? undefined : take<Uint8Array>(outputNames.set);
    // By the graph's own rule: to fetch its label, a text a row, takes longer than to find it here.
    const labels = decide(probabilities, classes, this.card.decision);
    return { task: 'classification', classes, probabilities, labels, ...(set && { set }) };
  }

  private outputsOf({ rows, columns }: RawRows): ReturnType<Binding.InferenceSession['run']> {
    const feeds = Object.create(null) as Record<string, Tensor>;
    if (this.matrix) feeds[this.matrix.input] = sideBySide(rows, columns, this.matrix.columns);
    const dims = [rows, 1];
    for (const { input, column } of this.single) {
      const data = columns[column]!;
      const { written } = this.card.columns[column]!;
      if (written && !Array.isArray(data)) {
        feeds[input] = tensor(
          'string',
          Array.from(data, (value) => writeNumber(value, written)),
          dims,
        );
        continue;
      }
      feeds[input] =
        data instanceof Float32Array
          ? tensor('float32', data, dims)
          : data instanceof Float64Array
            ? tensor('float64', data, dims)
            : tensor('string', data.some(hasNul) ? data.map(withoutNul) : data, dims);
    }
    return this.session.run(feeds, this.fetches, {});
  }

  /** One answer a row, in order. */
  predict(rows: RawRows): Prediction[] {
    return this.tell(this.run(rows));
  }

  /** What `run` gave, row by row and with the classes' names. */
  tell(answered: Answered): Prediction[] {
    if (answered.task === 'regression') {
      const { values, interval } = answered;
      return Array.from(values, (value, row) => ({
        value,
        ...(interval && { interval: [interval[row * 2]!, interval[row * 2 + 1]!] as [number, number] }),
      }));
    }
    const { classes, probabilities, labels, set } = answered;
    const names = this.card.classes!;
    return Array.from(labels, (label, row) => ({
      label: this.labels[label]!,
      probabilities: Object.fromEntries(names.map((name, i) => [name, probabilities[row * classes + i]!])),
      ...(set && { set: this.labels.filter((_, i) => set[row * classes + i] === 1) }),
    }));
  }

  /** Frees the model's memory. */
  dispose(): void {
    this.session.dispose();
  }
}

/** The graph cuts texts into characters, as many for each as the longest has, and counts thousands of terms of each. */
const mostTextRows = 256;
const mostCharacters = 2_000_000;

/** Rows in order, as many at a time as their texts allow. */
function chunksOf(asked: RawRows, texts: readonly number[]): RawRows[] {
  const { rows, columns } = asked;
  if (rows <= mostRows && texts.length === 0) return [asked];
  const chunks: RawRows[] = [];
  let from = 0;
  let longest = 0;
  for (let row = 0; row <= rows; row++) {
    const length = row === rows ? 0 : Math.max(0, ...texts.map((column) => (columns[column] as string[])[row]!.length));
    const count = row - from;
    if (
      row === rows ||
      (count > 0 && (count >= (texts.length === 0 ? mostRows : mostTextRows) || (count + 1) * Math.max(longest, length) > mostCharacters))
    ) {
      if (count > 0) chunks.push({ rows: count, columns: columns.map((column) => column.slice(from, row)) });
      from = row;
      longest = 0;
    }
    longest = Math.max(longest, length);
  }
  return chunks;
}

function joined<T extends Float32Array | Uint8Array>(parts: readonly T[]): T {
  const [first] = parts as [T, ...T[]];
  if (parts.length === 1) return first;
  const whole = new (first.constructor as new (length: number) => T)(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The binding would end the text at the NUL, and so make it another. */
function hasNul(text: string): boolean {
  return text.includes('\0');
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function sideBySide(rows: number, columns: RawRows['columns'], chosen: readonly number[]): Tensor {
  const width = chosen.length;
  const matrix = new Float32Array(rows * width);
  for (let place = 0; place < width; place++) {
    const values = columns[chosen[place]!] as Float32Array;
    for (let row = 0, at = place; row < rows; row++, at += width) matrix[at] = values[row]!;
  }
  return tensor('float32', matrix, [rows, width]);
}

function writeLabel(name: string, type: ModelCard['classType']): Label {
  if (type === 'integer' && Number.isSafeInteger(Number(name))) return Number(name);
  return type === 'boolean' ? name === 'true' : name;
}
