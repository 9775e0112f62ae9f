/** A model in memory that answers: an onnxruntime session and the card that the graph carries. */
import { type Binding, binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import { IngotError } from '../errors.ts';
import type { Predictions } from '../models/model.ts';
import { cardKey, type ModelCard } from '../onnx/card.ts';
import { type FusedModel, fuseInputs } from '../onnx/fuse-inputs.ts';
import { outputNames } from '../onnx/outputs.ts';
import { readMetadata } from '../onnx/wire.ts';
import { type RawRows, RowSchema } from './rows.ts';

export type Label = string | number | boolean;

/** One row's answer. */
export type Prediction = { label: Label; probabilities: Record<string, number> } | { value: number };

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
    const fused = fuseInputs(bytes, new Set(card.columns.flatMap(({ type, input }) => (type === 'number' ? [input] : []))));
    const { buffer, byteOffset, byteLength } = fused?.bytes ?? bytes;
    session.loadModel(buffer as ArrayBuffer, byteOffset, byteLength, { intraOpNumThreads: threads, interOpNumThreads: 1 });
    return new Predictor(session, card, fused);
  } catch (cause) {
    throw new IngotError('InvalidRequest', `The model cannot be loaded: ${(cause as Error).message}`, { where: 'model.onnx', cause });
  }
}

/** A machine of 10,000 support vectors has 80 KB of kernels a row, in a few tensors at a time. */
const partRows = 1024;

type Tensor = Parameters<Binding.InferenceSession['run']>[0][string];

/** The binding reads these four properties of a tensor and no other. */
function tensor(type: 'float32' | 'string', data: Float32Array | string[], dims: number[]): Tensor {
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

  constructor(session: Binding.InferenceSession, card: ModelCard, fused: FusedModel | undefined) {
    this.session = session;
    this.card = card;
    this.schema = new RowSchema(card);
    this.labels = (card.classes ?? []).map((name) => writeLabel(name, card.classType));
    this.fetches = { [card.task === 'regression' ? outputNames.value : outputNames.probabilities]: null };
    const place = new Map(card.columns.map(({ input }, column) => [input, column]));
    this.matrix = fused && { input: fused.input, columns: fused.columns.map((input) => place.get(input)!) };
    this.single = card.columns.flatMap(({ input, type }, column) => (fused && type === 'number' ? [] : [{ input, column }]));
  }

  /** Probabilities or values of all rows, as the graph gives them; many rows in parts, for what a graph holds in between grows with them. */
  run({ rows, columns }: RawRows): Predictions {
    if (rows <= partRows) return this.runPart(rows, columns);
    const parts = Array.from({ length: Math.ceil(rows / partRows) }, (_, part) => {
      const [from, to] = [part * partRows, Math.min(rows, (part + 1) * partRows)];
      return this.runPart(
        to - from,
        columns.map((column) => column.slice(from, to)),
      );
    });
    if (this.card.task === 'regression') return { task: 'regression', values: joined(parts) };
    return { task: 'classification', classes: this.labels.length, probabilities: joined(parts) };
  }

  private runPart(rows: number, columns: RawRows['columns']): Predictions {
    const feeds = Object.create(null) as Record<string, Tensor>;
    if (this.matrix) feeds[this.matrix.input] = sideBySide(rows, columns, this.matrix.columns);
    const dims = [rows, 1];
    for (const { input, column } of this.single) {
      const data = columns[column]!;
      feeds[input] =
        data instanceof Float32Array
          ? tensor('float32', data, dims)
          : tensor('string', data.some(hasNul) ? data.map(withoutNul) : data, dims);
    }
    const outputs = this.session.run(feeds, this.fetches, {});
    if (this.card.task === 'regression') return { task: 'regression', values: outputs[outputNames.value]!.data as Float32Array };
    const probabilities = outputs[outputNames.probabilities]!.data as Float32Array;
    return { task: 'classification', classes: this.labels.length, probabilities };
  }

  /** One answer a row, in order. */
  predict(rows: RawRows): Prediction[] {
    const predictions = this.run(rows);
    if (predictions.task === 'regression') return Array.from(predictions.values, (value) => ({ value }));
    const { classes, probabilities } = predictions;
    const names = this.card.classes!;
    return Array.from({ length: rows.rows }, (_, row) => ({
      label: this.labels[bestClass(probabilities, row, classes)]!,
      probabilities: Object.fromEntries(names.map((name, i) => [name, probabilities[row * classes + i]!])),
    }));
  }

  /** Frees the model's memory. */
  dispose(): void {
    this.session.dispose();
  }
}

function joined(parts: Predictions[]): Float32Array {
  const lists = parts.map((part) => (part.task === 'regression' ? part.values : part.probabilities));
  const all = new Float32Array(lists.reduce((length, list) => length + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
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

/** The class of the highest probability, the first of equal ones, as ArgMax. */
export function bestClass(probabilities: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let i = 1; i < classes; i++) if (probabilities[row * classes + i]! > probabilities[row * classes + best]!) best = i;
  return best;
}

function writeLabel(name: string, type: ModelCard['classType']): Label {
  if (type === 'integer' && Number.isSafeInteger(Number(name))) return Number(name);
  return type === 'boolean' ? name === 'true' : name;
}
