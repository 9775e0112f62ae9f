/** Nine in ten: measured on held-out rows of all of the project's datasets, by every family, over several splits. */
import { expect, test } from 'vitest';
import { answer } from '../../core/answers/answers.ts';
import { fitAnswers } from '../../core/answers/fit-answers.ts';
import { coverageOf } from '../../core/evaluation/coverage.ts';
import { splitRows } from '../../core/features/split.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Params } from '../../core/models/model.ts';
import { outOfFold } from '../../core/search/out-of-fold.ts';
import { pickRows } from '../models/data.ts';
import { exampleData, madeData } from './datasets.ts';

const families: [string, Params][] = [
  ['forest', { nEstimators: 30 }],
  ['boosting', { nEstimators: 40, maxLeaves: 7, minSamplesLeaf: 10 }],
  ['linear', {}],
];
const splits = 4;
const measured: number[] = [];
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test.each(families)('sets and intervals of %s hold the truth about nine times in ten', async (family, asked) => {
  const params = familyOf(family).parse(asked);
  const own: number[] = [];
  for (let seed = 1; seed <= splits; seed++)
    for (const sample of Object.values({ ...exampleData(), ...madeData(1000, seed) })) {
      const { train, test } = splitRows(sample.y, 0.3, seed);
      const [known, fresh] = [pickRows(sample, train), pickRows(sample, test)];
      const context = { workers: 1, seed };
      const predictions = await outOfFold({ folds: 5, seed }, { family, params }, known.x, known.y, context);
      const metric = sample.y.task === 'classification' ? 'logLoss' : 'rmse';
      const answers = fitAnswers(predictions, known.y, { metric, coverage: 0.9 });
      const model = await familyOf(family).fit(known.x, known.y, params, context);
      own.push(coverageOf(fresh.y, answer(answers, await model.predict(fresh.x)), [])!.measured);
    }
  measured.push(...own);
  // The intervals are of models of four fifths of the rows: that of all rows is a little better than it says.
  expect(Math.abs(mean(own) - 0.9)).toBeLessThan(0.02);
  for (const each of own) expect(each).toBeGreaterThan(0.8);
});

test('over all datasets and families it is 88.5 to 91.5 %', () => {
  expect(measured.length).toBe(families.length * splits * 9);
  expect(mean(measured)).toBeGreaterThanOrEqual(0.885);
  expect(mean(measured)).toBeLessThanOrEqual(0.915);
});
