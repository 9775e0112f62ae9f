/** What a run is expected to take. */
import type { Interval } from './interval.ts';
import type { Lane } from './lane.ts';
import type { Preparation } from './limits.ts';
import { type PricedBy, publicPrices } from './prices.ts';

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

/** Of an estimate, what its users see. */
export type Expected = Pick<Estimate, 'coreSeconds' | 'memory' | 'seconds' | 'dollars'> & {
  /** Of the dollars, and of those that are spent. */
  prices?: PricedBy;
};

export function expectedOf({ coreSeconds, memory, seconds, dollars, lane }: Estimate): Expected {
  // The first release's list, which was AWS's, did not say so.
  const { region, asOf, source = publicPrices.source } = lane.prices;
  return { coreSeconds, memory, seconds, dollars, prices: { region, asOf, source } };
}
