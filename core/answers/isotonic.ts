/**
 * Isotonic calibration of two classes (Zadrozny and Elkan 2002): the second class's probability by how often it was the truth where it was said,
 * made never to fall (pool adjacent violators), and straight between the middles of what was pooled, so that what was told apart still is.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

export interface Isotonic {
  kind: 'isotonic';
  /** Said, float32, rising; `to` what that becomes, never falling. */
  from: number[];
  to: number[];
}

const types = { float: 1, int64: 7, double: 11 };
/** Groups of rows before any are pooled. */
const mostGroups = 50;
const rowsPerGroup = 20;

interface Block {
  rows: number;
  said: number;
  /** Rows of the second class, and a row's worth of the share of all, so that none is certain. */
  true: number;
  weight: number;
}

/** @param probabilities [rows × 2] */
export function fitIsotonic(probabilities: Float32Array, labels: Int32Array): Isotonic {
  const rows = Array.from(labels.keys()).sort((a, b) => probabilities[2 * a + 1]! - probabilities[2 * b + 1]! || a - b);
  const share = (labels.reduce((sum, label) => sum + label, 0) + 1) / (rows.length + 2);
  const size = Math.max(rowsPerGroup, Math.ceil(rows.length / mostGroups));
  const blocks: Block[] = [];
  let group: Block = { rows: 0, said: 0, true: share, weight: 1 };
  rows.forEach((row, at) => {
    const said = probabilities[2 * row + 1]!;
    group = { rows: group.rows + 1, said: group.said + said, true: group.true + labels[row]!, weight: group.weight + 1 };
    const next = rows[at + 1];
    if (next !== undefined && (group.rows < size || probabilities[2 * next + 1] === said)) return;
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
  return { kind: 'isotonic', from: [...knots.keys()], to: [...knots.values()] };
}

const rateOf = ({ true: of, weight }: Block) => of / weight;

/** Where each piece starts, what is there, and by what it rises; the first is before all that was said. */
function piecesOf({ from, to }: Isotonic): { start: number; value: number; slope: number }[] {
  const slope = (i: number) => (i + 1 < from.length ? (to[i + 1]! - to[i]!) / (from[i + 1]! - from[i]!) : 0);
  return [{ start: from[0]!, value: to[0]!, slope: 0 }, ...from.map((start, i) => ({ start, value: to[i]!, slope: slope(i) }))];
}

/** @returns float32 [rows × 2], to the bit those of the graph */
export function calibrateIsotonic(isotonic: Isotonic, probabilities: Float32Array): Float32Array {
  const pieces = piecesOf(isotonic);
  const calibrated = new Float32Array(probabilities.length);
  for (let i = 1; i < probabilities.length; i += 2) {
    const said = probabilities[i]!;
    const { start, value, slope } = pieces[isotonic.from.filter((from) => said > from).length]!;
    const second = value + (said - start) * slope;
    calibrated[i - 1] = 1 - second;
    calibrated[i] = second;
  }
  return calibrated;
}

/**
 *   second [N, 1] ─ Greater from ─ Cast ─ ReduceSum ─ Gather pieces ─ value + (second − start) × slope
 *
 * @param probabilities name of the float32 [N, 2] tensor @returns name of the calibrated one
 */
export function isotonicToOnnx(isotonic: Isotonic, graph: GraphBuilder, probabilities: string): string {
  const pieces = piecesOf(isotonic);
  const second = graph.node('Gather', [probabilities, graph.int64s([1])], { axis: { int: 1 } });
  const above = graph.node('Cast', [graph.node('Greater', [second, graph.floats(isotonic.from)])], { to: { int: types.int64 } });
  const piece = graph.node('ReduceSum', [above, graph.int64s([1])], { keepdims: { int: 0 } });
  const [start, value, slope] = (['start', 'value', 'slope'] as const).map((of) =>
    graph.node(
      'Gather',
      [
        graph.doubles(
          pieces.map((each) => each[of]),
          [pieces.length, 1],
        ),
        piece,
      ],
      { axis: { int: 0 } },
    ),
  ) as [string, string, string];
  const away = graph.node('Sub', [graph.node('Cast', [second], { to: { int: types.double } }), start]);
  const calibrated = graph.node('Add', [value, graph.node('Mul', [away, slope])]);
  const both = graph.node('Concat', [graph.node('Sub', [graph.doubles([1]), calibrated]), calibrated], { axis: { int: 1 } });
  return graph.node('Cast', [both], { to: { int: types.float } });
}
