/** Whether the exported graph answers as the trained model does: bit for bit, or the version is not registered. */
import type { Answered } from '../answers/answers.ts';
import { IngotError } from '../errors.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { takeRows } from '../features/split.ts';
import type { FittedModel } from '../models/model.ts';
import { type Edge, foldedBody, neighbour } from '../onnx/fold.ts';
import type { RawRows } from '../serving/rows.ts';
import type { Frame } from '../table/frame.ts';

/** The rows of a clean table as a request's rows. */
export function rawRowsOf(frame: Frame): RawRows {
  return {
    rows: frame.rows,
    columns: frame.columns.map((column) =>
      column.type === 'number' ? column.values : Array.from(column.codes, (code) => (code < 0 ? '' : column.dictionary[code]!)),
    ),
  };
}

/**
 * @param what the rows are, for the error
 * @throws IngotError ParityFailed that names the first row on which the two differ
 */
export function checkAgreement(graph: Answered, model: Answered, what: string): void {
  const rows = model.task === 'classification' ? model.labels.length : model.values.length;
  const theirParts = partsOf(graph);
  partsOf(model).forEach((ours, part) => {
    const theirs = theirParts[part]!;
    const [a, b] = [bytesOf(ours), bytesOf(theirs)];
    if (Buffer.compare(a, b) === 0) return;
    const byte = a.length === b.length ? a.findIndex((value, i) => value !== b[i]) : 0;
    const differ = Math.floor(byte / ours.BYTES_PER_ELEMENT);
    throw new IngotError('ParityFailed', `The graph answers ${theirs[differ]} where the trained model answers ${ours[differ]}.`, {
      where: `${what} ${Math.floor((differ * rows) / ours.length)}`,
      fix: 'This is a defect in Ingot: report it with the dataset, if you may share it. The version was not registered.',
    });
  });
}

/** All that is answered, number by number. */
function partsOf(answered: Answered): (Float32Array | Int32Array | Uint8Array)[] {
  return answered.task === 'classification'
    ? [answered.probabilities, answered.labels, answered.set ?? new Uint8Array()]
    : [answered.values, answered.interval ?? new Float32Array()];
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** How many neighbours of a split's value are asked on each side, in float32 steps. */
const neighbours = 3;
const maxEdges = 300;
/** Values in the edge rows altogether, so that wide tables do not fill the memory. */
const maxCells = 20_000_000;

/**
 * Rows whose values stand at the split edges of a model's trees and one, two, three float32 steps beside them, where an engine that rounds
 * otherwise goes the other way. The rest of each row is that of a given row.
 * @param frame raw rows, at least one
 * @returns rows in the frame's columns; none where the model splits no number
 */
export function edgeRows(frame: Frame, preprocess: Preprocess, model: Pick<FittedModel, 'toOnnx'>): Frame {
  const edges: Edge[] = [];
  foldedBody(preprocess, model, edges);
  const unique = new Map(edges.map((edge) => [`${edge.column} ${edge.value}`, edge]));
  const sorted = [...unique.values()].sort((a, b) => a.column - b.column || a.value - b.value);
  const most = Math.min(maxEdges, Math.floor(maxCells / frame.columns.length / (2 * neighbours + 1)));
  const steps = Array.from({ length: 2 * neighbours + 1 }, (_, i) => i - neighbours);
  const asked = spread(sorted, most).flatMap(({ column, value }) => steps.map((step) => ({ column, value: neighbour(value, step) })));
  const rows = takeRows(
    frame,
    Int32Array.from(asked, (_, i) => i % frame.rows),
  );
  asked.forEach(({ column, value }, row) => {
    const into = rows.columns[column]!;
    if (into.type === 'number') into.values[row] = value;
  });
  return rows;
}

/** At most `count` of the items, evenly spread. */
function spread<T>(items: T[], count: number): T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
