/** The rows that are trained on, and what they say of the target: what both kernels begin with. */
import { mix32, Random } from '../../random.ts';
import type { Target } from '../model.ts';

/** Of more rows than the limit, as many, drawn by the seed; of each class in proportion, and at least one. In the order in which they were. */
export function sampleRows(y: Target, rows: Int32Array, limit: number, seed: number): Int32Array {
  if (rows.length <= limit) return rows;
  const groups = Map.groupBy(rows.keys(), (i) => (y.task === 'classification' ? y.labels[rows[i]!]! : 0));
  const chosen = [...groups].flatMap(([k, places]) => {
    const taken = Math.max(1, Math.round((places.length * limit) / rows.length));
    return [...new Random(mix32(seed, k)).shuffle(Int32Array.from(places)).subarray(0, taken)];
  });
  return Int32Array.from(
    chosen.sort((a, b) => a - b),
    (i) => rows[i]!,
  );
}

export interface Classes {
  present: number[];
  /** Of each class that is present, the places of its rows. */
  members: Int32Array[];
  /** What an error of its rows weighs. */
  weights: number[];
  /** Of all classes, the share of the rows. */
  shares: number[];
}

export function classesOf(y: Target & { task: 'classification' }, rows: Int32Array, balanced: boolean): Classes {
  const all = Array.from({ length: y.classes }, (_, k) => Int32Array.from([...rows.keys()].filter((i) => y.labels[rows[i]!] === k)));
  const present = [...all.keys()].filter((k) => all[k]!.length > 0);
  const members = present.map((k) => all[k]!);
  const asked = present.map((k, i) => (balanced ? rows.length / (present.length * members[i]!.length) : 1) * (y.classWeights?.[k] ?? 1));
  // Weights whose mean is 1 leave C as strong as without them; so are balanced ones by themselves.
  const mean = asked.reduce((sum, weight, i) => sum + weight * members[i]!.length, 0) / rows.length;
  return {
    present,
    members,
    weights: asked.map((weight) => (y.classWeights && mean > 0 ? weight / mean : weight)),
    shares: all.map(({ length }) => length / rows.length),
  };
}

/** Mean and standard deviation of a regression's target, 1 where it does not vary; as of the linear family. */
export function standard(values: Float64Array, rows: Int32Array): { centre: number; spread: number } {
  const centre = rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length;
  const most = rows.reduce((size, row) => Math.max(size, Math.abs(values[row]! - centre)), 0);
  // Relative to the largest, so that squares neither overflow nor vanish.
  const spread = most * Math.sqrt(rows.reduce((sum, row) => sum + ((values[row]! - centre) / most) ** 2, 0) / rows.length);
  return { centre, spread: spread > 0 ? spread : 1 };
}

/** Rows of a class are left out in turn, every so manieth, to learn what decisions about unseen rows mean. */
export const foldCount = 3;

/** Of each row of two classes the fold that it is left out of; undefined where a class has too few rows. */
export function foldsOf(positive: Uint8Array): Uint8Array | undefined {
  const seen = [0, 0];
  const folds = positive.map((side) => seen[side]!++ % foldCount);
  return Math.min(...seen) < foldCount ? undefined : folds;
}

export function joined(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
