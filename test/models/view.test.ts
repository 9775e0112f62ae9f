/** How families see the features of a table: trees take gaps, outliers and categories as they are, lines and distances get numbers. */
import { describe, expect, test } from 'vitest';
import { Explainer } from '../../core/explain/explainer.ts';
import { makeExplainData } from '../../core/explain/make-explain-data.ts';
import { transform } from '../../core/features/tabular.ts';
import { families, familyOf } from '../../core/models/families.ts';
import type { Matrix, Target } from '../../core/models/model.ts';
import { applyView } from '../../core/models/view/apply-view.ts';
import { orderedView } from '../../core/models/view/ordered.ts';
import { sourcesOf } from '../../core/models/view/view.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { Random } from '../../core/random.ts';
import { loadModel } from '../../core/serving/session.ts';
import { type Cells, fitCells, frameOf, sourceOf } from '../features/tables.ts';
import { numbersOf, pickRows } from './data.ts';
import { askGraph } from './graph.ts';

const context = { seed: 3, workers: 1 };
const allRows = ({ rows }: Matrix) => Int32Array.from({ length: rows }, (_, row) => row);

/** A number with gaps and outliers, a category of which only the sets {a, c, e} and {b, d, f} matter, and the target that follows from both. */
function madeTable(rows: number): { columns: Cells[]; x: Matrix; y: Target; preprocess: ReturnType<typeof fitCells> } {
  const random = new Random(5);
  const letters = Array.from({ length: rows }, () => 'abcdef'[random.below(6)]!);
  const sizes = Array.from({ length: rows }, () => random.uniform() * (random.below(20) === 0 ? 1e4 : 1));
  const columns: Cells[] = [
    { name: 'size', type: 'number', cells: sizes.map((size, row) => (row % 9 === 0 ? null : Math.fround(size))) },
    { name: 'letter', type: 'category', cells: letters.map((letter, row) => (row % 17 === 0 ? null : letter)) },
  ];
  const preprocess = { ...fitCells(columns), task: 'regression' as const };
  const values = Float64Array.from(letters, (letter, row) => ('ace'.includes(letter) ? 10 : 0) + (sizes[row]! > 100 ? 5 : 0) + (row % 3));
  return { columns, x: transform(preprocess, frameOf(columns)), y: { task: 'regression', values }, preprocess };
}

describe('categories in order', () => {
  test('a value becomes what the target is like in its rows, an unseen one the mean', () => {
    const { x, y } = madeTable(600);
    const view = orderedView(x, y, allRows(x), { categories: 'ordered' })!;
    const [{ numbers }] = view.ordered as [(typeof view.ordered)[number]];
    const ofLetter = (letter: string) => numbers[x.names.indexOf(`letter = ${letter}`) - x.names.indexOf('letter = a') + 2]!;
    expect(numbers).toHaveLength(8);
    const names = x.names.filter((name) => name.startsWith('letter = ')).map((name) => name.at(-1)!);
    const byName = new Map(names.map((name, code) => [name, numbers[code + 2]![0]!]));
    for (const high of 'ace') for (const low of 'bdf') expect(byName.get(high)).toBeGreaterThan(byName.get(low)! + 5);
    const mean = (y as { values: Float64Array }).values.reduce((a, b) => a + b, 0) / x.rows;
    expect(numbers[0]![0]).toBeCloseTo(mean, 4);
    expect(ofLetter('a')).toBeDefined();
  });

  test('a tree of two leaves parts the sets', async () => {
    const { x, y } = madeTable(600);
    const params = { nEstimators: 1, learningRate: 1, maxLeaves: 2, categories: 'ordered' };
    const says = numbersOf(await (await familyOf('boosting').fit(x, y, params, context)).predict(x));
    const flags = numbersOf(await (await familyOf('boosting').fit(x, y, { ...params, categories: 'flags' }, context)).predict(x));
    const error = (numbers: Float32Array) =>
      numbers.reduce((sum, number, row) => sum + ((y as { values: Float64Array }).values[row]! - number) ** 2, 0);
    expect(error(says)).toBeLessThan(error(flags) / 2);
  });

  test('rows that are not learned from say nothing', () => {
    const { x, y } = madeTable(200);
    const rows = allRows(x).filter((row) => row % 4 !== 0);
    const others = { ...y, values: (y as { values: Float64Array }).values.map((value, row) => (row % 4 === 0 ? 1e6 : value)) } as Target;
    expect(orderedView(x, others, rows, { categories: 'both' })).toEqual(orderedView(x, y, rows, { categories: 'both' }));
  });

  test('ordered leaves the 0/1 features out, flags the numbers, both neither', () => {
    const { x, y } = madeTable(200);
    const seen = (categories: string) => {
      const view = orderedView(x, y, allRows(x), { categories })!;
      return sourcesOf(view).map((feature) => x.names[feature]!.replace(/ = ./, ' = ?'));
    };
    const flags = Array.from({ length: 6 }, () => 'letter = ?');
    expect(seen('flags')).toEqual(['size', 'size is missing', ...flags, 'letter is missing']);
    expect(seen('ordered')).toEqual(['size', 'size is missing', 'letter: code']);
    expect(seen('both')).toEqual([...seen('flags'), 'letter: code']);
  });
});

describe.each(families)('$name', (family) => {
  const { columns, x, y, preprocess } = madeTable(300);
  const few = family.parse(
    family.name === 'boosting' || family.name.endsWith('orest') || family.name === 'extraTrees' ? { nEstimators: 8 } : {},
  );

  test('the graph answers the same bits as predict, and so does the model that comes back from its bytes', async () => {
    const model = await family.fit(x, y, few, context);
    const said = numbersOf(await model.predict(x));
    expect(await askGraph(model, x)).toEqual(said);
    const back = family.deserialize(model.serialize());
    expect(back.serialize()).toEqual(model.serialize());
    expect(numbersOf(await back.predict(x))).toEqual(said);
    if (model.first) expect(await askGraph(model.first(3), x)).toEqual(numbersOf(await back.first!(3).predict(x)));
  });

  test('candidates of a grid are fitted together as each would be alone', async () => {
    const train = allRows(x).filter((row) => row % 5 !== 0);
    const valid = allRows(x).filter((row) => row % 5 === 0);
    const ways = 'categories' in few ? ['both', 'ordered', 'flags'].map((categories) => ({ ...few, categories })) : [few];
    const seen = new Set<number>();
    for await (const { candidate, predictions } of family.predictGrid(x, y, train, valid, ways, context)) {
      const alone = pickRows({ x, y }, train);
      const model = await family.fit(alone.x, alone.y, ways[candidate]!, context);
      expect(numbersOf(predictions)).toEqual(numbersOf(await model.predict(pickRows({ x, y }, valid).x)));
      seen.add(candidate);
    }
    expect(seen.size).toBe(ways.length);
  });

  test('what the columns contribute adds up to the answer', async () => {
    const model = await family.fit(x, y, few, context);
    const explainer = new Explainer(await makeExplainData(model, preprocess, sourceOf(columns), 1));
    const predictor = await loadModel(buildModelGraph({ preprocess, model }));
    const raw = {
      rows: 4,
      columns: [Float32Array.of(0.5, Number.NaN, 1e9, -Infinity), ['a', '', 'never seen', 'b']],
    };
    const answered = predictor.run(raw);
    const explained = explainer.explain(predictor, raw, answered);
    predictor.dispose();
    expect(Object.keys(explained[0]!.contributions)).toEqual(['size', 'letter']);
    explained.forEach(({ raw: { value } }, row) => {
      expect(value).toBeCloseTo(numbersOf(answered as never)[row]!, 3);
    });
  });
});

test.each(families)('$name keeps numbers whose bounds scaling takes beyond the largest float32', async (family) => {
  const random = new Random(7);
  const rates = Array.from({ length: 200 }, (_, row) => (row % 5 === 0 ? Math.fround(random.uniform() / 100) : 0));
  const columns: Cells[] = [{ name: 'rate', type: 'number', cells: rates }];
  const x = transform({ ...fitCells(columns), task: 'regression' }, frameOf(columns));
  const model = await family.fit(
    x,
    { task: 'regression', values: Float64Array.from(rates, (rate) => 500 * rate) },
    family.parse({}),
    context,
  );
  const said = numbersOf(await model.predict(x));
  expect(new Set(said).size).toBeGreaterThan(2);
  const back = family.deserialize(model.serialize());
  expect(numbersOf(await back.predict(x))).toEqual(said);
  expect(await askGraph(back, x)).toEqual(said);
});

test('a matrix without traits is seen as it is', async () => {
  const { x, y } = madeTable(100);
  const { traits: _, ...plain } = x;
  for (const family of families) {
    const model = await family.fit(
      { ...plain, data: plain.data.map((value) => (Number.isNaN(value) ? 0 : value)) },
      y,
      family.parse({}),
      context,
    );
    expect(new DataView(model.serialize().buffer).getUint32(0, true)).not.toBe(0xffff_ffff);
  }
});

test('nothing is copied where nothing changes', () => {
  const { x } = madeTable(50);
  const view = { features: x.columns, takes: Array.from({ length: x.columns }, (_, i) => i), ordered: [] };
  expect(applyView(view, x).data).toBe(x.data);
});
