/** What a run may take. */

/** What comes before a run took, or is expected to take. */
export interface Preparation {
  seconds: number;
  dollars: number;
}

export interface Limits {
  minutes?: number | undefined;
  dollars?: number | undefined;
  /** What is taken off already, for what comes before the run. */
  preparation?: Preparation;
}

/** As `plan.json` keeps it, where dataset.json has a budget. */
export interface Budget extends Limits {
  /** Seconds that a trial of the family may take from its first attempt on, and the fit. */
  trialSeconds: Record<string, number>;
  fitSeconds: number;
  /** Seconds that the check and the evaluation of the graph may take: what is not needed for a version is then left out. */
  gateSeconds: number;
  /** Seconds from the start of the run by which the search, the fit and the gate are over, where minutes are limited. */
  searchUntil?: number;
  fitUntil?: number;
  gateUntil?: number;
  /** By family: which candidates a trial tries first, so that it has something where it must stop. */
  rounds: Record<string, number[][]>;
  /** What is not tried because of the budget, in sentences. */
  leftOut: string[];
}
