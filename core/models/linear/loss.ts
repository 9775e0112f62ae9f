/**
 * The mean loss of a linear model over rows, and its gradient. Rows go through in blocks that stay in the processor's cache, and
 * sums are taken in one fixed order.
 */

export type LossKind = 'squared' | 'logistic' | 'softmax' | 'squaredHinge' | 'squaredEpsilon';

/** Rows in column-major arrays: column f's value of row i is `columns[f][at + i]`. */
export interface Rows {
  columns: readonly Float32Array[];
  count: number;
  /** Value, or the class as a number. */
  targets: Float64Array;
  /** Of each row; their sum is `count`. All are 1 where it is left out. */
  weights?: Float64Array | undefined;
}

const block = 512;

/**
 * The point is `[outputs × columns]` coefficients, then the outputs' intercepts. The coefficients are those of columns without their means:
 * that takes most of what makes coefficients and intercept depend on each other, and changes no optimum, since intercepts are not
 * penalised.
 */
export class Loss {
  readonly kind: LossKind;
  readonly outputs: number;
  readonly features: number;
  readonly means: Float64Array;
  /** Coefficients and intercepts. */
  readonly size: number;
  /** Of squaredEpsilon: errors up to here cost nothing. */
  private readonly epsilon: number;
  private readonly margins: Float64Array;
  /** How often all of some rows were gone over, in rows: what tells how hard the table is to fit (core/compute/probe.ts). */
  passed = 0;
  /** Called each time; what it throws comes out. */
  onPass: (() => void) | undefined;

  constructor(kind: LossKind, outputs: number, means: Float64Array, epsilon = 0) {
    this.kind = kind;
    this.epsilon = epsilon;
    this.outputs = outputs;
    this.features = means.length;
    this.means = means;
    this.size = outputs * (means.length + 1);
    this.margins = new Float64Array(outputs * block);
  }

  /** @param gradient is overwritten @returns the mean loss, to which half l2 times the coefficients' squares are added */
  evaluate(rows: Rows, point: Float64Array, l2: number, gradient: Float64Array): number {
    const { outputs, features, means } = this;
    const intercepts = outputs * features;
    gradient.fill(0);
    this.passed += rows.count;
    this.onPass?.();
    let loss = 0;
    for (let at = 0; at < rows.count; at += block) {
      const count = Math.min(block, rows.count - at);
      this.fillMargins(rows.columns, at, count, point);
      loss += this.residuals(rows, at, count);
      for (let k = 0; k < outputs; k++) {
        const residuals = this.margins.subarray(k * block, k * block + count);
        addProducts(rows.columns, at, residuals, gradient, k * features);
        let sum = 0;
        for (let i = 0; i < count; i++) sum += residuals[i]!;
        gradient[intercepts + k]! += sum;
      }
    }
    let squares = 0;
    for (let k = 0; k < outputs; k++) {
      const sum = gradient[intercepts + k]!;
      gradient[intercepts + k] = sum / rows.count;
      for (let f = 0; f < features; f++) {
        const at = k * features + f;
        gradient[at] = (gradient[at]! - means[f]! * sum) / rows.count + l2 * point[at]!;
        squares += point[at]! * point[at]!;
      }
    }
    return loss / rows.count + (l2 / 2) * squares;
  }

  /** Of each row and output what the loss's second derivative by the margin is, output after output. */
  curvatures(rows: Rows, point: Float64Array): Float64Array {
    const { outputs } = this;
    const found = new Float64Array(outputs * rows.count);
    for (let at = 0; at < rows.count; at += block) {
      const count = Math.min(block, rows.count - at);
      this.fillMargins(rows.columns, at, count, point);
      for (let i = 0; i < count; i++) {
        const weight = rows.weights ? rows.weights[at + i]! : 1;
        let total = 0;
        let top = 0;
        if (this.kind === 'softmax') {
          top = -Infinity;
          for (let k = 0; k < outputs; k++) top = Math.max(top, this.margins[k * block + i]!);
          for (let k = 0; k < outputs; k++) total += Math.exp(this.margins[k * block + i]! - top);
        }
        if (this.kind === 'squaredHinge' || this.kind === 'squaredEpsilon') {
          found[at + i] = this.beyond(this.margins[i]!, rows.targets[at + i]!) === 0 ? 0 : 2 * weight;
          continue;
        }
        for (let k = 0; k < outputs; k++) {
          const margin = this.margins[k * block + i]!;
          const p = this.kind === 'softmax' ? Math.exp(margin - top) / total : 1 / (1 + Math.exp(-margin));
          found[k * rows.count + at + i] = this.kind === 'squared' ? weight : weight * p * (1 - p);
        }
      }
    }
    return found;
  }

  /** What a margin is off by, with its sign, of the losses that are 0 up to a bound. A hinge's target is 0 or 1. */
  private beyond(margin: number, target: number): number {
    if (this.kind === 'squaredHinge') return target === 1 ? Math.min(margin - 1, 0) : Math.max(margin + 1, 0);
    const difference = margin - target;
    return difference > this.epsilon ? difference - this.epsilon : Math.min(difference + this.epsilon, 0);
  }

  private fillMargins(columns: readonly Float32Array[], at: number, count: number, point: Float64Array): void {
    const { outputs, features, means } = this;
    for (let k = 0; k < outputs; k++) {
      const margins = this.margins.subarray(k * block, k * block + count);
      let constant = point[outputs * features + k]!;
      for (let f = 0; f < features; f++) constant -= point[k * features + f]! * means[f]!;
      margins.fill(constant);
      addColumns(columns, at, point, k * features, margins);
    }
  }

  /** From margins to weighted derivatives of the loss by them. @returns the block's sum of losses */
  private residuals(rows: Rows, at: number, count: number): number {
    const { margins, outputs } = this;
    const { targets, weights } = rows;
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const target = targets[at + i]!;
      const weight = weights ? weights[at + i]! : 1;
      const margin = margins[i]!;
      if (this.kind === 'squared') {
        const difference = margin - target;
        loss += weight * 0.5 * difference * difference;
        margins[i] = weight * difference;
      } else if (this.kind === 'squaredHinge' || this.kind === 'squaredEpsilon') {
        const off = this.beyond(margin, target);
        loss += weight * off * off;
        margins[i] = 2 * weight * off;
      } else if (this.kind === 'logistic') {
        const e = Math.exp(-Math.abs(margin));
        loss += weight * (Math.log1p(e) + Math.max(margin, 0) - target * margin);
        margins[i] = weight * ((margin >= 0 ? 1 : e) / (1 + e) - target);
      } else {
        let top = margin;
        for (let k = 1; k < outputs; k++) top = Math.max(top, margins[k * block + i]!);
        loss += weight * (top - margins[target * block + i]!);
        let total = 0;
        for (let k = 0; k < outputs; k++) {
          const power = Math.exp(margins[k * block + i]! - top);
          margins[k * block + i] = power;
          total += power;
        }
        loss += weight * Math.log(total);
        const share = weight / total;
        for (let k = 0; k < outputs; k++) margins[k * block + i]! *= share;
        margins[target * block + i]! -= weight;
      }
    }
    return loss;
  }
}

/** into[i] += Σ coefficients[from + f] · columns[f][at + i], four columns at a time, for each is read and written once then. */
function addColumns(columns: readonly Float32Array[], at: number, coefficients: Float64Array, from: number, into: Float64Array): void {
  const count = into.length;
  let f = 0;
  for (; f + 3 < columns.length; f += 4) {
    const [a, b, c, d] = [columns[f]!, columns[f + 1]!, columns[f + 2]!, columns[f + 3]!];
    const wa = coefficients[from + f]!;
    const wb = coefficients[from + f + 1]!;
    const wc = coefficients[from + f + 2]!;
    const wd = coefficients[from + f + 3]!;
    for (let i = 0; i < count; i++) into[i]! += wa * a[at + i]! + wb * b[at + i]! + (wc * c[at + i]! + wd * d[at + i]!);
  }
  for (; f < columns.length; f++) {
    const column = columns[f]!;
    const weight = coefficients[from + f]!;
    for (let i = 0; i < count; i++) into[i]! += weight * column[at + i]!;
  }
}

/** into[from + f] += Σ factors[i] · columns[f][at + i] */
function addProducts(columns: readonly Float32Array[], at: number, factors: Float64Array, into: Float64Array, from: number): void {
  const count = factors.length;
  let f = 0;
  for (; f + 3 < columns.length; f += 4) {
    const [a, b, c, d] = [columns[f]!, columns[f + 1]!, columns[f + 2]!, columns[f + 3]!];
    let sa = 0;
    let sb = 0;
    let sc = 0;
    let sd = 0;
    for (let i = 0; i < count; i++) {
      const factor = factors[i]!;
      sa += factor * a[at + i]!;
      sb += factor * b[at + i]!;
      sc += factor * c[at + i]!;
      sd += factor * d[at + i]!;
    }
    into[from + f]! += sa;
    into[from + f + 1]! += sb;
    into[from + f + 2]! += sc;
    into[from + f + 3]! += sd;
  }
  for (; f < columns.length; f++) {
    const column = columns[f]!;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += factors[i]! * column[at + i]!;
    into[from + f]! += sum;
  }
}
