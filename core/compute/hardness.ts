/** How hard a table is to learn, as short runs on some of its rows tell (probe.ts). */

/** As `preprocess.json` keeps it. */
export interface Probe {
  svm?: Machines;
  descent?: Descents;
}

/** Of machines with the rbf kernel. */
export interface Machines {
  rows: number;
  /** Kernels that the solver has gone over, at a C of 1, and at a C of 10, which begins with that of 1. */
  passed: number;
  passedTen: number;
  /** The share of the rows that are support vectors, at a C of 1. */
  vectors: number;
}

/** Of linear models' gradient descents. */
export interface Descents {
  rows: number;
  /** By solver and penalty, see `descentKey`; where batches are drawn, the geometric mean of two draws. */
  epochs: Record<string, number>;
}
