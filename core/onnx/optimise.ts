/** The smallest graph that answers as the model's own graph does: nothing is rounded, nothing that a row can tell is lost. */
import { IngotError } from '../errors.ts';
import { probesOf } from '../features/derivations.ts';
import { isDerived } from '../features/layout.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { Random } from '../random.ts';
import type { RawRows } from '../serving/rows.ts';
import { loadModel, type Predictor } from '../serving/session.ts';
import { type Edge, foldedBody, neighbour } from './fold.ts';
import { buildModelGraph, type ModelGraphSource } from './model-graph.ts';

export interface GraphFigures {
  bytes: number;
  /** Median time of a request of one row in onnxruntime, on the machine and at the moment of the run. */
  microseconds: number;
}

export interface OptimiseReport {
  before: GraphFigures;
  after: GraphFigures;
  /** What was done: the preprocessing of numbers taken into the trees, or nothing. */
  kept: 'folded' | 'as it was';
  /** On how many rows the answers were compared, bit for bit. */
  rows: number;
}

/**
 * @param rows raw rows to compare on, besides the ones at the splits' edges that are made here
 * @returns the graph; which one it is depends on the model and the rows alone, never on a measured time
 * @throws IngotError ParityFailed where the smaller graph answers otherwise, which would be a defect
 */
export async function optimiseGraph(source: ModelGraphSource, rows?: RawRows): Promise<{ graph: Uint8Array; report: OptimiseReport }> {
  const plain = buildModelGraph(source);
  const edges: Edge[] = [];
  const body = foldedBody(source.preprocess, source.model, edges);
  const folded = body && buildModelGraph(source, body);
  const probes = probeRows(source.preprocess, edges);
  const one = oneRow(probes);
  const original = await loadModel(plain);
  const before = { bytes: plain.length, microseconds: medianTime(original, one) };
  if (folded === undefined || folded.length >= plain.length) {
    original.dispose();
    return { graph: plain, report: { before, after: before, kept: 'as it was', rows: 0 } };
  }
  const smaller = await loadModel(folded);
  const compared = rows === undefined ? [probes] : [probes, rows];
  for (const asked of compared) requireEqual(original, smaller, asked);
  const after = { bytes: folded.length, microseconds: medianTime(smaller, one) };
  original.dispose();
  smaller.dispose();
  const count = compared.reduce((sum, asked) => sum + asked.rows, 0);
  return { graph: folded, report: { before, after, kept: 'folded', rows: count } };
}

function requireEqual(before: Predictor, after: Predictor, rows: RawRows): void {
  const [a, b] = [numbersOf(before, rows), numbersOf(after, rows)];
  const differ = a.findIndex((bits, i) => bits !== b[i]);
  if (differ < 0) return;
  throw new IngotError('ParityFailed', 'The optimised graph answers otherwise than the graph before.', {
    where: `row ${Math.floor((differ * rows.rows) / a.length)}`,
    fix: 'This is a defect in Ingot: report it with the dataset, if you may share it.',
  });
}

/** What sets, intervals and labels follow from. Bits, so that NaN equals itself and −0 is not 0. */
function numbersOf(predictor: Predictor, rows: RawRows): Uint32Array {
  const predictions = predictor.run(rows);
  const numbers = predictions.task === 'classification' ? predictions.probabilities : predictions.values;
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

const probeCount = 2000;

/** Rows whose numbers lie at splits' edges or beside them, at the bounds, beyond any, or are missing; and categories known and unknown. */
function probeRows({ columns }: Preprocess, edges: readonly Edge[]): RawRows {
  const random = new Random(0);
  const byColumn = Map.groupBy(edges, ({ column }) => column);
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  return {
    rows: probeCount,
    columns: columns.map((fitted, index) => {
      if (fitted.type !== 'number') {
        const own = isDerived(fitted) ? probesOf(fitted) : ['', '\u0001unseen', ...fitted.missing, ...Object.keys(fitted.spellings)];
        if (fitted.type === 'wide') return Float64Array.from({ length: probeCount }, () => pick(own as number[]));
        return Array.from({ length: probeCount }, () => pick(own as string[]));
      }
      const special = [Number.NaN, Infinity, -Infinity, 0, -0, fitted.low, fitted.high, fitted.impute, fitted.mean];
      const own = (byColumn.get(index) ?? []).map(({ value }) => value);
      return Float32Array.from({ length: probeCount }, () =>
        own.length === 0 || random.below(5) === 0 ? pick(special) : neighbour(pick(own), random.below(5) - 2),
      );
    }),
  };
}

function oneRow({ columns }: RawRows): RawRows {
  return { rows: 1, columns: columns.map((column) => column.slice(0, 1)) };
}

const timedRuns = 201;

function medianTime(predictor: Predictor, row: RawRows): number {
  const times = Array.from({ length: timedRuns }, () => {
    const start = performance.now();
    predictor.run(row);
    return (performance.now() - start) * 1000;
  });
  return times.sort((a, b) => a - b)[timedRuns >> 1]!;
}
