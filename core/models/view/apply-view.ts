import { clipped } from '../../features/clip.ts';
import { columnOf, LazyMatrix } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';
import { firstCode, sourcesOf, type View } from './view.ts';

/** The features as the family sees them; columns that stay as they are are not copied where all are taken. */
export function applyView(view: View, x: Matrix): Matrix {
  const { features, takes, limits, ordered } = view;
  if (x.columns !== features) throw new RangeError(`the model was fitted on ${features} features, not ${x.columns}`);
  const { rows } = x;
  const sources = sourcesOf(view);
  const names = sources.map((feature) => x.names[feature]!);
  const width = ordered[0]?.numbers[0]?.length ?? 1;
  const make = (place: number, into: Float32Array): Float32Array => {
    const values = columnOf(x, sources[place]!);
    if (place < takes.length) {
      into.set(values);
      if (!limits) return into;
      const bounds = { low: limits.low[place]!, high: limits.high[place]! };
      const filling = limits.impute[place]!;
      for (let row = 0; row < rows; row++) into[row] = clipped(Number.isNaN(into[row]) ? filling : into[row]!, bounds);
      return into;
    }
    const at = place - takes.length;
    const ofCode = ordered[Math.floor(at / width)]!.numbers.map((each) => each[at % width]!);
    for (let row = 0; row < rows; row++) into[row] = ofCode[values[row]! - firstCode]!;
    return into;
  };
  if (x.column) return new LazyMatrix({ rows, names }, (place) => make(place, new Float32Array(rows)));
  const { traits: _, ...plain } = x;
  if (sources.length === features && !changes(view, x)) return plain;
  const data = new Float32Array(rows * sources.length);
  for (let place = 0; place < sources.length; place++) make(place, data.subarray(place * rows, (place + 1) * rows));
  return { rows, columns: sources.length, names, data };
}

function changes({ takes, limits, ordered }: View, x: Matrix): boolean {
  if (ordered.length > 0) return true;
  if (!limits) return false;
  return takes.some((feature, place) => {
    const [low, high] = [limits.low[place]!, limits.high[place]!];
    for (let at = feature * x.rows; at < (feature + 1) * x.rows; at++) {
      const value = x.data[at]!;
      if (!(value >= low && value <= high)) return true;
    }
    return false;
  });
}
