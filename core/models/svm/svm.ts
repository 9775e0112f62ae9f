/** Support vector machines with the rbf kernel or a line, for classification and regression. */
import { Latest, Pieces } from '../checkpoint.ts';
import type { Family } from '../model.ts';
import { parseParams } from '../params.ts';
import { takeMatrix } from '../take-matrix.ts';
import { expand, kernelUnits } from './expansion.ts';
import { type Points, pointAt, toPoints } from './fixed-points.ts';
import { compareCost, resolve, svmConstraints } from './params.ts';
import { svmPortfolio } from './portfolio.ts';
import type { Solution } from './smo.ts';
import { SvmModel } from './svm-model.ts';
import { fitLinear, type LinesState } from './train-linear.ts';
import { RbfTrainer } from './train-rbf.ts';

/** Kernels of the rows to predict and those of the train rows are kept for further candidates up to here. */
const keptBytes = 2 ** 28;

export const svm: Family = {
  name: 'svm',
  grid: { kernel: ['rbf', 'linear'], C: [0.1, 1, 10, 100] },
  portfolio: svmPortfolio,
  parse: (params) => parseParams('svm', svmConstraints, params),
  compareCost,
  deserialize: SvmModel.deserialize,

  async fit(x, y, params, context) {
    const complete = svm.parse(params);
    const resolved = resolve(complete);
    const rows = Int32Array.from({ length: x.rows }, (_, row) => row);
    const onStep = () => context.onProgress?.(0);
    const of = [complete, context.seed, x.rows, x.columns];
    const kept = await (resolved.kernel === 'linear'
      ? Latest.open<LinesState>(context.checkpoint, of)
      : Pieces.open<Solution>(context.checkpoint, of));
    try {
      const model =
        kept instanceof Latest
          ? await fitLinear(x, y, rows, resolved, complete, onStep, kept)
          : (await new RbfTrainer(x, y, rows, resolved, context.seed, onStep, kept).fit(resolved.C, complete)).model;
      context.onProgress?.(1);
      return model;
    } finally {
      kept.close();
    }
  },

  /** Candidates with the rbf that differ in C alone share the kernels of the train rows and of the rows to predict, and one path of C. */
  async *predictGrid(x, y, rows, validRows, candidates, context) {
    const resolved = candidates.map((params) => resolve(svm.parse(params)));
    const groups = Map.groupBy(resolved.keys(), (index) => JSON.stringify({ ...resolved[index]!, C: 0 }));
    let done = 0;
    const finish = () => context.onProgress?.(++done / candidates.length);
    for (const members of groups.values()) {
      const params = resolved[members[0]!]!;
      const progress = () => context.onProgress?.(done / candidates.length);
      if (params.kernel === 'linear') {
        for (const candidate of members) {
          const model = await fitLinear(x, y, rows, resolved[candidate]!, svm.parse(candidates[candidate]!), progress);
          yield { candidate, predictions: await model.predict(takeMatrix(x, validRows)) };
          finish();
        }
        continue;
      }
      const trainer = new RbfTrainer(x, y, rows, params, context.seed, progress);
      const kernels = new ValidKernels(trainer, toPoints(trainer.fixed, x, validRows));
      for (const candidate of members.sort((a, b) => resolved[a]!.C - resolved[b]!.C)) {
        const { model, vectors } = await trainer.fit(resolved[candidate]!.C, svm.parse(candidates[candidate]!));
        const { by } = model.state;
        const decisions =
          'expansion' in by ? expand(by.expansion, validRows.length, (vector) => kernels.units(vectors[vector]!)) : new Float64Array();
        yield { candidate, predictions: model.answer(decisions, validRows.length) };
        finish();
      }
    }
  },
};

/** Of each train row, its rounded kernels with the rows to predict. */
class ValidKernels {
  private readonly trainer: RbfTrainer;
  private readonly points: Points;
  private readonly kept = new Map<number, Int32Array>();
  private readonly scratch: Float64Array;

  constructor(trainer: RbfTrainer, points: Points) {
    this.trainer = trainer;
    this.points = points;
    this.scratch = new Float64Array(points.norms.length);
  }

  units(row: number): Int32Array {
    const known = this.kept.get(row);
    if (known) return known;
    const { kernel } = this.trainer;
    const units = kernelUnits(this.points, pointAt(kernel.points, row), kernel.rate, this.scratch);
    if ((this.kept.size + 1) * units.byteLength <= keptBytes) this.kept.set(row, units);
    return units;
  }
}
