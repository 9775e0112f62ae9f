/** Linear and logistic regression with L1, L2 and elastic net penalties. */
import { Latest } from '../checkpoint.ts';
import { fixAffine } from '../exact/affine.ts';
import { inSteps } from '../in-steps.ts';
import type { Family, Matrix, Params, Target } from '../model.ts';
import { parseParams } from '../params.ts';
import { takeMatrix } from '../take-matrix.ts';
import { type DescentPlace, descending } from './descent.ts';
import { type Design, makeDesign } from './design.ts';
import type { Minimum, Place } from './lbfgs.ts';
import { LinearModel } from './linear-model.ts';
import { solving } from './newton.ts';
import { compareCost, linearConstraints, resolve } from './params.ts';
import { linearPortfolio } from './portfolio.ts';

/** The logit of a class that was in no train row: its probability is 0. */
const never = -1000;

export const linear: Family = {
  name: 'linear',
  grid: { penalty: ['l2', 'l1'], alpha: [0.0001, 0.001, 0.01, 0.1, 1] },
  portfolio: linearPortfolio,
  parse: (params) => parseParams('linear', linearConstraints, params),
  compareCost,
  deserialize: LinearModel.deserialize,

  async fit(x, y, params, context) {
    const complete = linear.parse(params);
    const design = makeDesign(x, y, resolve(complete).balanced);
    const of = [complete, context.seed, x.rows, x.columns];
    const latest = await Latest.open<Places[keyof Places]>(context.checkpoint, of);
    try {
      const model = await fitDesign(design, x, y, complete, context.seed, () => context.onProgress?.(0), latest);
      context.onProgress?.(1);
      return model;
    } finally {
      latest.close();
    }
  },

  /**
   * Each candidate starts from the same point, not from its neighbour's optimum: it must equal what it would be alone, bit for bit. What is
   * shared is the train rows' design.
   */
  async *predictGrid(x, y, rows, validRows, candidates, context) {
    const designs = new Map<boolean, Design>();
    const valid = takeMatrix(x, validRows);
    for (const [candidate, params] of candidates.entries()) {
      const complete = linear.parse(params);
      const { balanced } = resolve(complete);
      const design = designs.get(balanced) ?? makeDesign(x, y, balanced, rows);
      designs.set(balanced, design);
      const model = await fitDesign(design, x, y, complete, context.seed, () => context.onProgress?.(candidate / candidates.length));
      context.onProgress?.((candidate + 1) / candidates.length);
      yield { candidate, predictions: await model.predict(valid) };
    }
  },
};

/** Where a fit may be, by whether its solver is lbfgs. */
interface Places {
  newton: Place;
  descent: DescentPlace;
}

async function fitDesign(
  design: Design,
  x: Matrix,
  y: Target,
  params: Params,
  seed: number,
  onPass: () => void,
  latest?: Latest<Places[keyof Places]>,
): Promise<LinearModel> {
  design.loss.onPass = onPass;
  const resolved = resolve(params);
  const { loss, varying, present, centre, spread } = design;
  const { features } = loss;
  const alone = y.task === 'classification' && present.length === 1;
  const { point, curve } = alone
    ? { point: new Float64Array(loss.size), curve: [0] }
    : await inSteps<Places[keyof Places], Minimum>(
        resolved.solver === 'lbfgs'
          ? solving(design, resolved, latest?.state as Place | undefined)
          : descending(design, resolved, seed, latest?.state as DescentPlace | undefined),
        async (place) => latest?.keep(place),
      );
  const classes = y.task === 'classification' ? y.classes : 0;
  const outputs = classes || 1;
  const weights = new Float64Array(x.columns * outputs);
  const intercepts = new Float64Array(outputs).fill(classes > 0 ? never : centre);
  // The first of two classes has no output of its own: its logit is 0.
  const outputOf = (k: number) => (loss.kind === 'logistic' ? k - 1 : k);
  const places = classes > 0 ? [...present] : [0];
  places.forEach((output, k) => {
    if (classes > 0) intercepts[output] = 0;
    const from = outputOf(k);
    if (from < 0) return;
    let constant = point[loss.outputs * features + from]!;
    for (let f = 0; f < features; f++) {
      const weight = point[from * features + f]!;
      constant -= weight * loss.means[f]!;
      weights[varying[f]! * outputs + output] = weight * spread;
    }
    intercepts[output]! += constant * spread;
  });
  const largests = new Float64Array(x.columns);
  varying.forEach((feature, f) => {
    largests[feature] = design.largests[f]!;
  });
  return new LinearModel({ params, classes, map: fixAffine(weights, intercepts, largests), learningCurve: curve });
}
