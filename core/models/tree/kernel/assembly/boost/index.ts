import { growTree } from './grow';
import { GRADIENTS, LARGEST, phase, ROUND, SETTLE, SHARES, WALK } from './phases';
import { largestResidual } from './gradients';
import { setShifts } from './rounding';
import { chunks, leafAt, run } from './run';
import { units } from './leaves';

export { enter } from './run';
export { help } from './phases';
export { growTree };

/** Probabilities of all classes, before the round's trees. */
export function shares(): void {
  phase(SHARES, chunks(run.rows));
}

export function largest(): f64 {
  phase(LARGEST, chunks(run.rows));
  return largestResidual();
}

export function gradients(): void {
  phase(GRADIENTS, chunks(run.rows));
  setShifts();
  phase(ROUND, chunks(run.rows));
}

/** Sets a leaf's step, where it is not to be found from gradients. */
export function setStep(leaf: u32, step: f64): void {
  leafAt(leaf).value = units(step);
}

/** Values of the leaves, and scores of all rows that were or were not grown on. */
export function settle(): void {
  phase(SETTLE, run.leafCount);
  run.low = run.bagged ? 0 : run.rows;
  run.high = run.allRows;
  phase(WALK, chunks(run.high - run.low));
}
