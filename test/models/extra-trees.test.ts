import { expect, test } from 'vitest';
import { extraTrees } from '../../core/models/forest/extra-trees.ts';
import { forest } from '../../core/models/forest/forest.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { expandGrid } from '../../core/search/grid.ts';
import { pythonHas } from '../python.ts';
import { familyContract } from './contract.ts';
import { makeSample, pickRows } from './data.ts';
import { edgeRows } from './graph.ts';
import { differences } from './python-parity.ts';
import { rivalScores } from './rival.ts';

familyContract(extraTrees, { params: { nEstimators: 20, maxDepth: 8 }, orderless: { nEstimators: 10 }, seeded: true });

const context = { seed: 3, workers: 1 };

test('trees grow on all rows unless told otherwise', () => {
  expect(extraTrees.parse({})).toMatchObject({ bootstrap: false });
  expect(forest.parse({})).toMatchObject({ bootstrap: true });
});

test('one worker or three: the same bytes', async () => {
  const { x, y } = makeSample(6000, 12, 3, 5);
  const [one, three] = await Promise.all([1, 3].map((workers) => extraTrees.fit(x, y, { nEstimators: 150 }, { seed: 3, workers })));
  expect(Buffer.compare(one!.serialize(), three!.serialize())).toBe(0);
});

test.each([
  ['two classes', 2],
  ['three classes', 3],
  ['regression', 0],
])('candidates of the grid equal a fit of each alone, bit for bit: %s', async (_, classes) => {
  const sample = makeSample(200, 7, classes, 11);
  const [fold] = splitFolds(sample.y, 5, 1);
  const candidates = expandGrid({ ...extraTrees.grid, nEstimators: [10, 20] }).map(extraTrees.parse);
  const [train, valid] = [pickRows(sample, fold!.train), pickRows(sample, fold!.valid)];
  let seen = 0;
  for await (const { candidate, predictions } of extraTrees.predictGrid(
    sample.x,
    sample.y,
    fold!.train,
    fold!.valid,
    candidates,
    context,
  )) {
    const alone = await extraTrees.fit(train.x, train.y, candidates[candidate]!, context);
    expect(predictions).toEqual(await alone.predict(valid.x));
    seen++;
  }
  expect(seen).toBe(candidates.length);
});

test.skipIf(!pythonHas('onnxruntime', 'numpy'))("Python's onnxruntime answers the same bits (needs onnxruntime and numpy)", async () => {
  const cases = await Promise.all(
    [2, 3, 0].map(async (classes) => {
      const { x, y } = makeSample(500, 6, classes, 21);
      return { model: await extraTrees.fit(x, y, { nEstimators: 50 }, context), x: edgeRows(x) };
    }),
  );
  expect(await differences(cases)).toEqual([0, 0, 0]);
});

// Cuts are drawn evenly among bins of as many rows here, there among values; that makes some thousandths, either way.
test.skipIf(!pythonHas('sklearn')).each([
  ['ExtraTreesClassifier', 2],
  ['ExtraTreesClassifier', 4],
  ['ExtraTreesRegressor', 0],
])("predicts as well as scikit-learn's on the same folds (needs scikit-learn): %s, %i classes", async (name, classes) => {
  const options = { max_features: classes ? 'sqrt' : null, n_estimators: 100, random_state: 0 };
  const sample = makeSample(1500, 8, classes, 31);
  const { ours, theirs } = await rivalScores(sample, extraTrees, { nEstimators: 100 }, ['sklearn.ensemble', name, options]);
  expect(ours).toBeGreaterThan(theirs - 0.02);
});
