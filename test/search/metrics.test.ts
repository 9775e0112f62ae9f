import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IngotError } from '../../core/errors.ts';
import type { Predictions, Target } from '../../core/models/model.ts';
import { confusionMatrix, metricFor, metrics, score } from '../../core/search/metrics.ts';
import { pythonHas, runPython } from '../python.ts';

const binary = (labels: number[]): Target => ({ task: 'classification', classes: 2, labels: Int32Array.from(labels) });
const answers = (rows: number[][]): Predictions => ({
  task: 'classification',
  classes: rows[0]!.length,
  probabilities: Float32Array.from(rows.flat()),
});

test('a metric of the other task is refused, with those that fit', () => {
  expect(metricFor('classification', undefined)).toBe('accuracy');
  expect(metricFor('regression', 'mae')).toBe('mae');
  expect(() => metricFor('regression', 'accuracy')).toThrow(IngotError);
  expect(() => metricFor('classification', 'r2')).toThrow(/'r2' is not one for classification/);
});

test('the confusion matrix has truth in its rows', () => {
  expect(confusionMatrix(Int32Array.of(0, 0, 1, 2), Int32Array.of(0, 1, 1, 0), 3)).toEqual([
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 0],
  ]);
});

test('ties among probabilities go to the first class, ties among scores share their rank', () => {
  const half = [0.5, 0.5];
  expect(score(binary([0, 1]), answers([half, half]))).toMatchObject({ accuracy: 0.5, rocAuc: 0.5 });
});

test('a score that is not defined is left out', () => {
  expect(
    score(
      binary([1, 1]),
      answers([
        [0.2, 0.8],
        [0.4, 0.6],
      ]),
    ),
  ).not.toHaveProperty('rocAuc');
  expect(
    score(
      binary([0, 1]),
      answers([
        [0.5, 0.5],
        [Number.NaN, Number.NaN],
      ]),
    ),
  ).not.toHaveProperty('rocAuc');
  const alone = score({ task: 'regression', values: Float64Array.of(3) }, { task: 'regression', values: Float32Array.of(4) });
  expect(alone).toEqual({ rmse: 1, mae: 1 });
});

/** Few distinct numbers, so that ties, absent classes and constant targets are frequent. */
const classification = fc.integer({ min: 2, max: 5 }).chain((classes) =>
  fc
    .array(fc.record({ label: fc.nat(classes - 1), votes: fc.array(fc.nat(3), { minLength: classes, maxLength: classes }) }), {
      minLength: 1,
      maxLength: 30,
    })
    .map((rows) => ({
      classes,
      labels: rows.map(({ label }) => label),
      // Shares that add up to exactly one in float32: 1/64ths, the rest with the first class.
      probabilities: rows.map(({ votes }) => {
        const others = votes.map((vote, k) => (k === 0 ? 0 : (vote * 5) / 64));
        return [1 - others.reduce((a, b) => a + b), ...others.slice(1)];
      }),
    })),
);

const regression = fc.array(fc.tuple(fc.constantFrom(0, 1, 2.5, -3), fc.constantFrom(0, 1, 2.5, 7)), { minLength: 1, maxLength: 20 });

const judge = `
import json, sys, warnings
import numpy
from sklearn import metrics as m
warnings.simplefilter("ignore")

def classification(case):
    y = numpy.array(case["labels"]); p = numpy.array(case["probabilities"], "f4"); labels = list(range(case["classes"]))
    t = p.argmax(1)
    zero = {"zero_division": 0}
    scores = {
        "accuracy": m.accuracy_score(y, t), "balancedAccuracy": m.balanced_accuracy_score(y, t),
        "precisionMacro": m.precision_score(y, t, average="macro", **zero), "precisionWeighted": m.precision_score(y, t, average="weighted", **zero),
        "recallMacro": m.recall_score(y, t, average="macro", **zero), "recallWeighted": m.recall_score(y, t, average="weighted", **zero),
        "f1Macro": m.f1_score(y, t, average="macro", **zero), "f1Weighted": m.f1_score(y, t, average="weighted", **zero),
        "logLoss": m.log_loss(y, p, labels=labels), "mcc": m.matthews_corrcoef(y, t),
    }
    if len(labels) == 2:
        scores["rocAuc"] = m.roc_auc_score(y, p[:, 1])
    elif len(set(case["labels"])) > 1:
        scores["rocAuc"] = m.roc_auc_score(y, p, multi_class="ovr", labels=labels)
    return {name: float(value) for name, value in scores.items() if numpy.isfinite(value)}

def regression(case):
    y, t = numpy.array(case, float).T
    scores = {"r2": m.r2_score(y, t), "rmse": m.root_mean_squared_error(y, t), "mae": m.mean_absolute_error(y, t)}
    return {name: float(value) for name, value in scores.items() if numpy.isfinite(value)}

cases = json.load(sys.stdin)
json.dump([[classification(c) for c in cases[0]], [regression(c) for c in cases[1]]], sys.stdout)
`;

test.skipIf(!pythonHas('sklearn'))("every metric is scikit-learn's, absent classes and ties included (needs scikit-learn)", () => {
  const classifications = fc.sample(classification, { numRuns: 300, seed: 1 });
  const regressions = fc.sample(regression, { numRuns: 100, seed: 2 });
  const [theirs, theirRegressions] = JSON.parse(runPython(judge, JSON.stringify([classifications, regressions]))) as Record<
    string,
    number
  >[][];
  const compare = (ours: Record<string, number>, wanted: Record<string, number>) => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, value] of Object.entries(wanted)) expect(ours[name], name).toBeCloseTo(value, name === 'logLoss' ? 5 : 10);
  };
  classifications.forEach(({ classes, labels, probabilities }, i) => {
    compare(score({ task: 'classification', classes, labels: Int32Array.from(labels) }, answers(probabilities)), theirs![i]!);
  });
  regressions.forEach((rows, i) => {
    const values = Float64Array.from(rows, ([truth]) => truth);
    const predictions: Predictions = { task: 'regression', values: Float32Array.from(rows, ([, predicted]) => predicted) };
    compare(score({ task: 'regression', values }, predictions), theirRegressions![i]!);
  });
  expect(Object.keys(metrics).length).toBe(new Set([...theirs!, ...theirRegressions!].flatMap((scores) => Object.keys(scores))).size);
});
