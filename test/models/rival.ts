/** The mean score over five folds, ours and that of an estimator of scikit-learn on the same folds. */
import type { Family, Params } from '../../core/models/model.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { score } from '../../core/search/metrics.ts';
import { runPython } from '../python.ts';
import { pickRows, type Sample } from './data.ts';
import { rowMajor } from './graph.ts';

const judge = `
import os
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import importlib, json, sys, warnings, numpy
warnings.filterwarnings("ignore")
case = json.load(sys.stdin)
x = numpy.array(case["x"], "f4").reshape(-1, case["columns"]); y = numpy.array(case["y"])
module, name, options = case["estimator"]
scores = []
for fold in case["folds"]:
    centre, spread = (0, 1) if case["classes"] else (y[fold["train"]].mean(), y[fold["train"]].std())
    target = (y - centre) / spread if not case["classes"] else y
    model = getattr(importlib.import_module(module), name)(**options).fit(x[fold["train"]], target[fold["train"]])
    scores.append(model.score(x[fold["valid"]], target[fold["valid"]]))
print(sum(scores) / len(scores))
`;

/** Accuracy, or R². A regression's target is standardised for the rival. @param estimator module, name and options */
export async function rivalScores(
  sample: Sample,
  family: Family,
  params: Params,
  estimator: [module: string, name: string, options: object],
): Promise<{ ours: number; theirs: number }> {
  const { x, y } = sample;
  const folds = splitFolds(y, 5, 1);
  const scores = [];
  for (const { train, valid } of folds) {
    const [seen, unseen] = [pickRows(sample, train), pickRows(sample, valid)];
    const model = await family.fit(seen.x, seen.y, params, { seed: 3, workers: 1 });
    const { accuracy, r2 } = score(unseen.y, await model.predict(unseen.x));
    scores.push(accuracy ?? r2!);
  }
  const request = {
    x: [...rowMajor(x)],
    columns: x.columns,
    y: y.task === 'classification' ? [...y.labels] : [...y.values],
    classes: y.task === 'classification' ? y.classes : 0,
    folds: folds.map(({ train, valid }) => ({ train: [...train], valid: [...valid] })),
    estimator,
  };
  return { ours: scores.reduce((a, b) => a + b) / scores.length, theirs: Number(runPython(judge, JSON.stringify(request))) };
}
