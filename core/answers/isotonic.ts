/**
 * Isotonic calibration (Zadrozny and Elkan 2002): a class's probability by how often it was the truth where it was said, made never to fall (pool
 * adjacent violators), and straight between the middles of what was pooled, so that what was told apart still is. Two classes have the curve of the
 * second; more have one each, against all others, and are then divided by their sum.
 */

import { roundEven } from '../models/exact/affine.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

export interface Curve {
  /** Said, float32, rising; `to` what that becomes, above 0, below 1 and never falling. */
  from: number[];
  to: number[];
}

export interface Isotonic {
  kind: 'isotonic';
  /** That of the second of two classes; of more, each class's. */
  curves: Curve[];
}

const types = { float: 1, int64: 7, double: 11 };
/** Groups of rows before any are pooled. */
const mostGroups = 50;
const rowsPerGroup = 20;
/** What is to be divided by its sum is rounded to multiples of 2^-40, so that the sum is exact in any order. */
const shareUnit = 2 ** 40;

interface Block {
  rows: number;
  said: number;
  /** Rows of the class, and a row's worth of its share of all, so that none is certain. */
  true: number;
  weight: number;
}

/** @param probabilities [rows × classes] */
export function fitIsotonic(probabilities: Float32Array, labels: Int32Array, classes: number): Isotonic {
  const curveOf = (k: number) =>
    fitCurve(
      Float32Array.from(labels, (_, row) => probabilities[row * classes + k]!),
      labels.map((label) => (label === k ? 1 : 0)),
    );
  return { kind: 'isotonic', curves: (classes === 2 ? [1] : Array.from({ length: classes }, (_, k) => k)).map(curveOf) };
}

/** @param said a probability by row @param truth 1 where it came true, else 0 */
export function fitCurve(said: Float32Array, truth: Int32Array): Curve {
  const rows = Array.from(truth.keys()).sort((a, b) => said[a]! - said[b]! || a - b);
  const share = (truth.reduce((sum, own) => sum + own, 0) + 1) / (rows.length + 2);
  const size = Math.max(rowsPerGroup, Math.ceil(rows.length / mostGroups));
  const blocks: Block[] = [];
  let group: Block = { rows: 0, said: 0, true: share, weight: 1 };
  rows.forEach((row, at) => {
    group = { rows: group.rows + 1, said: group.said + said[row]!, true: group.true + truth[row]!, weight: group.weight + 1 };
    const next = rows[at + 1];
    if (next !== undefined && (group.rows < size || said[next] === said[row])) return;
    blocks.push(group);
    group = { rows: 0, said: 0, true: share, weight: 1 };
    for (let last = blocks.at(-1)!, before = blocks.at(-2); before && rateOf(before) >= rateOf(last); before = blocks.at(-2)) {
      last = {
        rows: before.rows + last.rows,
        said: before.said + last.said,
        true: before.true + last.true,
        weight: before.weight + last.weight,
      };
      blocks.splice(-2, 2, last);
    }
  });
  const knots = new Map(blocks.map((block) => [Math.fround(block.said / block.rows), rateOf(block)]));
  return { from: [...knots.keys()], to: [...knots.values()] };
}

const rateOf = ({ true: of, weight }: Block) => of / weight;

interface Piece {
  start: number;
  value: number;
  slope: number;
}

/** Where each piece starts, what is there, and by what it rises; the first is before all that was said. */
function piecesOf({ from, to }: Curve): Piece[] {
  const slope = (i: number) => (i + 1 < from.length ? (to[i + 1]! - to[i]!) / (from[i + 1]! - from[i]!) : 0);
  return [{ start: from[0]!, value: to[0]!, slope: 0 }, ...from.map((start, i) => ({ start, value: to[i]!, slope: slope(i) }))];
}

/** What a curve makes of a probability, as float64. */
export function readerOf(curve: Curve): (said: number) => number {
  const pieces = piecesOf(curve);
  return (said) => {
    const { start, value, slope } = pieces[curve.from.filter((from) => said > from).length]!;
    return value + (said - start) * slope;
  };
}

/** @returns float32 [rows × classes], to the bit those of the graph */
export function calibrateIsotonic({ curves }: Isotonic, probabilities: Float32Array): Float32Array {
  const readers = curves.map(readerOf);
  const calibrated = new Float32Array(probabilities.length);
  if (readers.length === 1) {
    for (let i = 1; i < probabilities.length; i += 2) {
      const second = readers[0]!(probabilities[i]!);
      calibrated[i - 1] = 1 - second;
      calibrated[i] = second;
    }
    return calibrated;
  }
  const classes = readers.length;
  for (let start = 0; start < probabilities.length; start += classes) {
    const shares = readers.map((read, k) => roundEven(read(probabilities[start + k]!) * shareUnit));
    const sum = shares.reduce((a, b) => a + b, 0);
    for (let k = 0; k < classes; k++) calibrated[start + k] = shares[k]! / sum;
  }
  return calibrated;
}

/**
 *   said [N, curves] ─ Greater from ─ Cast ─ ReduceSum ─ Gather pieces ─ value + (said − start) × slope ─┬ one curve:  1 − second, second
 *                                                                                                        └ more: Round ─ Div by their sum
 *
 * @param probabilities name of the float32 [N, classes] tensor @returns name of the calibrated one
 */
export function isotonicToOnnx({ curves }: Isotonic, graph: GraphBuilder, probabilities: string): string {
  const count = curves.length;
  const length = Math.max(...curves.map(({ from }) => from.length));
  const said = count > 1 ? probabilities : graph.node('Gather', [probabilities, graph.int64s([1])], { axis: { int: 1 } });
  // Curves of fewer pieces are made as long as the longest by pieces that begin beyond all numbers.
  const padded = <T>(values: T[], size: number, filler: T) => [...values, ...new Array<T>(size - values.length).fill(filler)];
  const starts = curves.flatMap(({ from }) => padded(from, length, Number.POSITIVE_INFINITY));
  const apart = graph.node('Unsqueeze', [said, graph.int64s([2])]);
  const above = graph.node('Cast', [graph.node('Greater', [apart, graph.floats(starts, [1, count, length])])], {
    to: { int: types.int64 },
  });
  const piece = graph.node('ReduceSum', [above, graph.int64s([2])], { keepdims: { int: 0 } });
  const offsets = curves.map((_, k) => k * (length + 1));
  const place = graph.node('Add', [piece, graph.int64s(offsets, [1, count])]);
  const pieces = curves.flatMap((curve) => padded(piecesOf(curve), length + 1, { start: 0, value: 0, slope: 0 }));
  const take = (of: keyof Piece) => graph.node('Gather', [graph.doubles(pieces.map((each) => each[of])), place], { axis: { int: 0 } });
  const away = graph.node('Sub', [graph.node('Cast', [said], { to: { int: types.double } }), take('start')]);
  const calibrated = graph.node('Add', [take('value'), graph.node('Mul', [away, take('slope')])]);
  return graph.node('Cast', [count > 1 ? dividedBySum(graph, calibrated) : withFirst(graph, calibrated)], { to: { int: types.float } });
}

/** Of two classes, both. */
function withFirst(graph: GraphBuilder, second: string): string {
  return graph.node('Concat', [graph.node('Sub', [graph.doubles([1]), second]), second], { axis: { int: 1 } });
}

function dividedBySum(graph: GraphBuilder, calibrated: string): string {
  const shares = graph.node('Round', [graph.node('Mul', [calibrated, graph.doubles([shareUnit])])]);
  return graph.node('Div', [shares, graph.node('ReduceSum', [shares, graph.int64s([1])], { keepdims: { int: 1 } })]);
}
