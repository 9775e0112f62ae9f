/** Whether the exported graph answers as the trained model does: bit for bit, or the version is not registered. */
import { IngotError } from '../errors.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { takeRows } from '../features/split.ts';
import { layOut } from '../features/tabular.ts';
import type { FittedModel, Predictions } from '../models/model.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
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
export function checkAgreement(graph: Predictions, model: Predictions, what: string): void {
  const [ours, theirs] = [numbersOf(model), numbersOf(graph)];
  const [a, b] = [
    new Uint32Array(ours.buffer, ours.byteOffset, ours.length),
    new Uint32Array(theirs.buffer, theirs.byteOffset, theirs.length),
  ];
  let differ = ours.length === theirs.length ? -1 : 0;
  for (let i = 0; i < a.length && differ < 0; i++) if (a[i] !== b[i]) differ = i;
  if (differ < 0) return;
  const row = Math.floor(differ / (model.task === 'classification' ? model.classes : 1));
  throw new IngotError('ParityFailed', `The graph answers ${theirs[differ]} where the trained model answers ${ours[differ]}.`, {
    where: `${what} ${row}`,
    fix: 'This is a defect in Ingot: report it with the dataset, if you may share it. The version was not registered.',
  });
}

function numbersOf(predictions: Predictions): Float32Array {
  return predictions.task === 'classification' ? predictions.probabilities : predictions.values;
}

/** How many neighbours of a split's value are asked on each side, in float32 steps: rounding in the scaling moves the edge by one or two. */
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
  const edges = spread(rawEdges(preprocess, model), Math.min(maxEdges, Math.floor(maxCells / frame.columns.length / (2 * neighbours + 1))));
  const values = edges.flatMap(({ column, value }) => around(value).map((beside) => ({ column, value: beside })));
  const rows = takeRows(
    frame,
    Int32Array.from(values, (_, i) => i % frame.rows),
  );
  values.forEach(({ column, value }, row) => {
    const into = rows.columns[column]!;
    if (into.type === 'number') into.values[row] = value;
  });
  return rows;
}

interface Edge {
  /** Place among the preprocess's columns. */
  column: number;
  value: number;
}

/** The splits on number columns, their thresholds taken back from features to raw values, each once. */
function rawEdges({ columns }: Preprocess, model: Pick<FittedModel, 'toOnnx'>): Edge[] {
  const features = layOut(columns);
  const seen = new Set<string>();
  const edges: Edge[] = [];
  for (const { feature, threshold } of splitsOf(model)) {
    const { column, is } = features[feature]!;
    const fitted = columns[column]!;
    if (is !== 'value' || fitted.type !== 'number') continue;
    const value = Math.fround(threshold * fitted.scale + fitted.mean);
    const key = `${column} ${value}`;
    if (!seen.has(key)) edges.push({ column, value });
    seen.add(key);
  }
  return edges.sort((a, b) => a.column - b.column || a.value - b.value);
}

/** The splits of a model's trees, read off the nodes that it adds to a graph. */
function splitsOf(model: Pick<FittedModel, 'toOnnx'>): { feature: number; threshold: number }[] {
  const splits: { feature: number; threshold: number }[] = [];
  let tensors = 0;
  const name = () => `t${tensors++}`;
  const recorder: GraphBuilder = {
    node(_, __, attributes = {}) {
      const { nodes_featureids: ids, nodes_values: values, nodes_modes: modes } = attributes;
      if (ids && values && modes && 'ints' in ids && 'floats' in values && 'strings' in modes) {
        modes.strings.forEach((mode, i) => {
          if (mode !== 'LEAF') splits.push({ feature: ids.ints[i]!, threshold: values.floats[i]! });
        });
      }
      return name();
    },
    floats: name,
    int64s: name,
    strings: name,
  };
  model.toOnnx(recorder, name());
  return splits;
}

/** At most `count` of the items, evenly spread. */
function spread<T>(items: T[], count: number): T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

/** A float32 and its neighbours, ascending. */
function around(value: number): number[] {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  const found: number[] = [];
  for (let step = -neighbours; step <= neighbours; step++) {
    float[0] = value;
    // Floats in order are integers in order, counted away from zero on each side of it.
    const ordered = (bits[0]! < 0 ? -(bits[0]! & 0x7fff_ffff) : bits[0]!) + step;
    bits[0] = ordered < 0 ? -ordered | 0x8000_0000 : ordered;
    found.push(float[0]!);
  }
  return found;
}
