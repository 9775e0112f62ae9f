/** The rows that early stopping keeps back. */
import { mix32 } from '../random.ts';

const stoppingSeed = 4;

export interface Shares {
  train: Int32Array;
  /** Rows that early stopping keeps back. */
  stopping: Int32Array;
}

/** A row is kept back by its place among the rows and the seed; none are where that would leave nothing on either side. */
export function shareRows(
  rows: Int32Array,
  { earlyStopping, validationFraction }: { earlyStopping: boolean; validationFraction: number },
  seed: number,
): Shares {
  const none = { train: rows, stopping: new Int32Array() };
  if (!earlyStopping) return none;
  const drawn = mix32(seed, stoppingSeed);
  const kept = (place: number) => mix32(drawn, place) < validationFraction * 2 ** 32;
  const shares = { train: rows.filter((_, place) => !kept(place)), stopping: rows.filter((_, place) => kept(place)) };
  return shares.train.length > 0 && shares.stopping.length > 0 ? shares : none;
}
