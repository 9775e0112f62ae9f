/** Finds the calibration that makes out-of-fold log loss smallest, or none where none helps. */
import { logarithm } from '../models/exact/logarithm.ts';
import { minimise } from '../models/linear/lbfgs.ts';
import { mix32 } from '../random.ts';
import { type Calibration, type CalibrationKind, calibrate, calibrationKinds, type Scaling } from './calibration.ts';
import { fitIsotonic } from './isotonic.ts';

/** A class that no tree has seen in a leaf is not impossible: what the floor makes of it is chosen too. */
const floors = [2 ** -20, 2 ** -10];
/** Calibrations are compared on rows that they were not fitted on, in so many parts. */
const parts = 3;
/** Rows × classes that are looked at: more would not make a few numbers better. */
const maxCells = 100_000;
/** Rows a number to fit, below which it is not tried. */
const rowsPerNumber = 20;
/** A curve is worth about so many numbers: with fewer rows it follows their noise. */
const isotonicNumbers = 25;
const maxIterations = 100;
const tolerance = 1e-6;
/** As metrics.ts has it. */
const least = 2 ** -23;

interface Rows {
  probabilities: Float32Array;
  labels: Int32Array;
}

/**
 * The simplest calibration whose log loss is within one standard error of the best one's (Breiman et al. 1984); none is the simplest.
 * @param probabilities out-of-fold [rows × classes]
 */
export function fitCalibration(probabilities: Float32Array, labels: Int32Array, classes: number): Calibration | undefined {
  const rows = thin({ probabilities, labels }, classes);
  const count = rows.labels.length;
  const kinds = calibrationKinds.filter((kind) => count >= rowsPerNumber * sizeOf(kind, classes));
  const tried: { kind?: CalibrationKind; floor: number; losses: Float64Array }[] = [{ floor: 0, losses: lossesOf(rows, classes) }];
  for (const kind of kinds)
    for (const floor of kind === 'isotonic' ? [0] : floors) tried.push({ kind, floor, losses: crossFitted(kind, floor, rows, classes) });
  const best = tried.reduce((a, b) => (mean(b.losses) < mean(a.losses) ? b : a));
  const { kind, floor } = tried.find(({ losses }) => {
    const worse = losses.map((loss, row) => loss - best.losses[row]!);
    return losses === best.losses || mean(worse) <= standardError(worse);
  })!;
  return kind && fitKind(kind, floor, rows, classes);
}

function sizeOf(kind: CalibrationKind, classes: number): number {
  if (kind === 'isotonic') return classes === 2 ? isotonicNumbers : classes * isotonicNumbers;
  return kind === 'temperature' ? 1 : kind === 'temperatureAndBias' ? classes : 2 * classes - 1;
}

/** The log loss of each row by calibrations fitted on the other parts. */
function crossFitted(kind: CalibrationKind, floor: number, rows: Rows, classes: number): Float64Array {
  const losses = new Float64Array(rows.labels.length);
  for (let part = 0; part < parts; part++) {
    const inPart = (row: number) => mix32(part0, row) % parts === part;
    const fitted = fitKind(
      kind,
      floor,
      pick(rows, classes, (row) => !inPart(row)),
      classes,
    );
    const own = pick(rows, classes, inPart);
    const ownLosses = lossesOf({ ...own, probabilities: calibrate(fitted, own.probabilities) }, classes);
    let at = 0;
    for (let row = 0; row < losses.length; row++) if (inPart(row)) losses[row] = ownLosses[at++]!;
  }
  return losses;
}

const part0 = 0x0ca1;

function fitKind(kind: CalibrationKind, floor: number, rows: Rows, classes: number): Calibration {
  return kind === 'isotonic' ? fitIsotonic(rows.probabilities, rows.labels, classes) : fitScaling(kind, floor, rows, classes);
}

/** Least mean log loss, with a penalty of one row's weight on leaving the identity, so that there is a minimum where all rows are right. */
function fitScaling(kind: Scaling['kind'], floor: number, { probabilities, labels }: Rows, classes: number): Scaling {
  const count = labels.length;
  const logs = Float64Array.from(probabilities, (p) => logarithm(Math.max(p, floor)));
  const scaleCount = kind === 'vector' ? classes : 1;
  const size = sizeOf(kind, classes);
  const scaleAt = (k: number) => (kind === 'vector' ? k : 0);
  const biasOf = (point: Float64Array, k: number) => (k > 0 && size > scaleCount ? point[scaleCount + k - 1]! : 0);
  const evaluate = (point: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    const logits = new Float64Array(classes);
    for (let row = 0; row < count; row++) {
      const from = row * classes;
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < classes; k++) {
        logits[k] = point[scaleAt(k)]! * logs[from + k]! + biasOf(point, k);
        if (logits[k]! > top) top = logits[k]!;
      }
      let sum = 0;
      for (let k = 0; k < classes; k++) sum += Math.exp(logits[k]! - top);
      loss += Math.log(sum) + top - logits[labels[row]!]!;
      for (let k = 0; k < classes; k++) {
        const residual = Math.exp(logits[k]! - top) / sum - (labels[row] === k ? 1 : 0);
        gradient[scaleAt(k)]! += residual * logs[from + k]!;
        if (k > 0 && size > scaleCount) gradient[scaleCount + k - 1]! += residual;
      }
    }
    for (let i = 0; i < size; i++) {
      const away = point[i]! - (i < scaleCount ? 1 : 0);
      loss += (away * away) / 2;
      gradient[i] = (gradient[i]! + away) / count;
    }
    return loss / count;
  };
  const start = Float64Array.from({ length: size }, (_, i) => (i < scaleCount ? 1 : 0));
  const { point } = minimise({ evaluate, precondition: () => undefined, l1: 0, penalised: 0 }, start, tolerance, maxIterations);
  const each = Array.from({ length: classes }, (_, k) => k);
  return { kind, floor, scales: each.map((k) => point[scaleAt(k)]!), biases: each.map((k) => biasOf(point, k)) };
}

function lossesOf({ probabilities, labels }: Rows, classes: number): Float64Array {
  return Float64Array.from(labels, (k, row) => -Math.log(Math.min(Math.max(probabilities[row * classes + k]!, least), 1 - least)));
}

function pick({ probabilities, labels }: Rows, classes: number, chosen: (row: number) => boolean): Rows {
  return {
    probabilities: probabilities.filter((_, i) => chosen(Math.floor(i / classes))),
    labels: labels.filter((_, row) => chosen(row)),
  };
}

/** Evenly spread rows. */
function thin(rows: Rows, classes: number): Rows {
  const count = rows.labels.length;
  const step = Math.ceil((count * classes) / maxCells);
  return step <= 1 ? rows : pick(rows, classes, (row) => row % step === 0);
}

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function standardError(values: Float64Array): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((a, value) => a + (value - centre) ** 2, 0)) / values.length;
}
