/** What a run is expected to take. */
import type { Interval } from './interval.ts';
import type { Lane } from './lane.ts';
import type { Preparation } from './limits.ts';

/** As `plan.json` keeps it. */
export interface Estimate {
  coreSeconds: Interval;
  /** Bytes of the largest piece of work. */
  memory: number;
  /** From the start of the run to its release. */
  seconds: Interval;
  dollars: Interval;
  /** Seconds and dollars from the upload to the start, which the dollars above hold too. */
  preparation?: Preparation;
  /** What it was reckoned with; what was spent is reckoned with the same. */
  lane: Lane;
}
