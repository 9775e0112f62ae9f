/**
 * Training of lines: the squared hinge, or the squared error beyond epsilon, minimised by the linear family's solver. Of tables with more rows
 * than columns that is sooner done than coordinate descent in the dual, whose steps are one a row.
 */
import type { Latest } from '../checkpoint.ts';
import { fixAffine } from '../exact/affine.ts';
import { inSteps } from '../in-steps.ts';
import { columnOf } from '../lazy-matrix.ts';
import { type Design, makeDesign } from '../linear/design.ts';
import type { Place } from '../linear/lbfgs.ts';
import { Loss, type LossKind } from '../linear/loss.ts';
import { solving } from '../linear/newton.ts';
import type { Matrix, Params, Target } from '../model.ts';
import { pairsOf } from './coupling.ts';
import type { SvmParams } from './params.ts';
import { classesOf, foldCount, foldsOf, joined } from './sample.ts';
import { fitSigmoid } from './sigmoid.ts';
import { SvmModel } from './svm-model.ts';

/** With so many rows a column, what a line says of its own train rows is what it says of others. */
const manyRows = 20;

interface Line {
  weights: Float64Array;
  intercept: number;
  largests: Float64Array;
}

/** Where a fit is: the lines that are done, in their order, and how far the next one is. */
export interface LinesState {
  lines: Line[];
  place: Place;
}

/**
 * @param onStep called now and then; what it throws comes out
 * @param latest where a former attempt was, and where this one is kept
 */
export async function fitLinear(
  x: Matrix,
  y: Target,
  rows: Int32Array,
  resolved: SvmParams,
  params: Params,
  onStep?: () => void,
  latest?: Latest<LinesState>,
): Promise<SvmModel> {
  const { lines: former = [], place } = latest?.state ?? {};
  const lines: Line[] = [];
  const fitOne = async (y: Target, rows: Int32Array, weights?: Float64Array) => {
    const from = lines.length === former.length ? place : undefined;
    const line =
      former[lines.length] ??
      (await fitLine(x, y, rows, resolved, weights, onStep, from, async (state) => latest?.keep(() => ({ lines, place: state() }))));
    lines.push(line);
    return line;
  };
  const about = { params, classes: y.task === 'classification' ? y.classes : 0 };
  if (y.task === 'regression') {
    const { weights, intercept, largests } = await fitOne(y, rows);
    return new SvmModel({ ...about, present: [], by: { line: fixAffine(weights, [intercept], largests) } });
  }
  const { present, members, weights: classWeights, shares } = classesOf(y, rows, resolved.balanced);
  if (present.length === 1) return new SvmModel({ ...about, present, by: { constant: shares } });
  const pairs = pairsOf(present.length);
  const weights = new Float64Array(x.columns * pairs.length);
  const largests = new Float64Array(x.columns);
  const intercepts: number[] = [];
  for (const [pair, [i, j]] of pairs.entries()) {
    const labels = new Int32Array(x.rows);
    for (const place of members[i]!) labels[rows[place]!] = 1;
    const own = joined(members[i]!, members[j]!)
      .sort()
      .map((place) => rows[place]!);
    const two = { task: 'classification', classes: 2, labels } as const;
    const weighted = (part: Int32Array) =>
      resolved.balanced || y.classWeights ? Float64Array.from(part, (row) => classWeights[labels[row] === 1 ? i : j]!) : undefined;
    const fit = (part: Int32Array) => fitOne(two, part, weighted(part));
    const line = await fit(own);
    const decisions = decide(line, x, own);
    const positive = Uint8Array.from(own, (row) => labels[row]!);
    const folds = own.length < manyRows * x.columns ? foldsOf(positive) : undefined;
    for (let fold = 0; folds && fold < foldCount; fold++) {
      const said = decide(await fit(own.filter((_, v) => folds[v] !== fold)), x, own);
      for (let v = 0; v < own.length; v++) if (folds[v] === fold) decisions[v] = said[v]!;
    }
    const { slope, intercept } = fitSigmoid(decisions, positive);
    for (let f = 0; f < x.columns; f++) {
      weights[f * pairs.length + pair] = line.weights[f]! * slope;
      largests[f] = Math.max(largests[f]!, line.largests[f]!);
    }
    intercepts.push(line.intercept * slope + intercept);
  }
  return new SvmModel({ ...about, present, by: { line: fixAffine(weights, intercepts, largests) } });
}

async function fitLine(
  x: Matrix,
  y: Target,
  rows: Int32Array,
  { C, epsilon, tol, maxIter }: SvmParams,
  errorWeights: Float64Array | undefined,
  onStep: (() => void) | undefined,
  from: Place | undefined,
  onIteration: (place: () => Place) => Promise<void>,
): Promise<Line> {
  const made = makeDesign(x, y, false, rows);
  const kind: LossKind = y.task === 'regression' ? 'squaredEpsilon' : 'squaredHinge';
  // The loss is of rows whose weights are 1 on average, and half of the squares is what C is weighed against.
  const total = errorWeights?.reduce((a, b) => a + b) ?? rows.length;
  const weights = errorWeights?.map((weight) => (weight * rows.length) / total);
  const loss = new Loss(kind, 1, made.loss.means, epsilon);
  loss.onPass = onStep;
  const design: Design = { ...made, loss, rows: { ...made.rows, weights } };
  const iterations = { l1: 0, l2: 1 / (C * total), solver: 'lbfgs', balanced: false, learningRate: null, batchSize: 0 } as const;
  const { point } = await inSteps(solving(design, { ...iterations, tol, maxIter }, from), onIteration);
  const { varying, centre, spread } = design;
  const found = new Float64Array(x.columns);
  const largests = new Float64Array(x.columns);
  let intercept = point[varying.length]!;
  varying.forEach((feature, f) => {
    intercept -= point[f]! * loss.means[f]!;
    found[feature] = point[f]! * spread;
    largests[feature] = design.largests[f]!;
  });
  return { weights: found, intercept: intercept * spread + centre, largests };
}

/** NaN and infinities count as 0 here; the exact map that is kept has its own bounds. */
function decide({ weights, intercept }: Line, x: Matrix, rows: Int32Array): Float64Array {
  const decisions = new Float64Array(rows.length).fill(intercept);
  for (let f = 0; f < x.columns; f++) {
    const weight = weights[f]!;
    if (weight === 0) continue;
    const column = columnOf(x, f);
    for (let i = 0; i < rows.length; i++) {
      const value = column[rows[i]!]!;
      if (value - value === 0) decisions[i]! += weight * value;
    }
  }
  return decisions;
}
