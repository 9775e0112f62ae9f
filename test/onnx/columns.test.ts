/** Columns whose raw value becomes numbers: the graph makes the same of any raw value, bit for bit, here and in Python. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dateFormats } from '../../core/features/date-formats.ts';
import { probesOf } from '../../core/features/derivations.ts';
import type { FittedText } from '../../core/features/fitted-text.ts';
import { isDerived } from '../../core/features/layout.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { transform, transformTrain, withCrosses } from '../../core/features/tabular.ts';
import type { FittedWide } from '../../core/features/wide-number.ts';
import { families } from '../../core/models/families.ts';
import type { Matrix } from '../../core/models/model.ts';
import { fuseInputs } from '../../core/onnx/fuse-inputs.ts';
import { optimiseGraph } from '../../core/onnx/optimise.ts';
import { Random } from '../../core/random.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import { loadModel } from '../../core/serving/session.ts';
import { formats } from '../features/number-formats.ts';
import { type Cells, fitCells, frameOf, frameOfRows, windowGraph } from '../features/tables.ts';
import { pythonHas } from '../python.ts';
import { bits } from './bits.ts';
import { askPython } from './python.ts';

const python = pythonHas('onnx', 'onnxruntime', 'numpy');

/** What the tests below ask of our runtime, for Python's to be asked too. */
const asked: { test: string | undefined; model: Uint8Array; rows: RawRows; numbers: number[] }[] = [];

function rowMajor({ rows, columns, data }: Matrix): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)]!);
}

/** Holds the graph's answer against what was trained, and keeps it for Python. */
async function expectAnswer(model: Uint8Array, rows: RawRows, expected: Float32Array): Promise<void> {
  const predictor = await loadModel(model);
  const predictions = predictor.run(rows);
  predictor.dispose();
  const numbers = bits(predictions.task === 'classification' ? predictions.probabilities : predictions.values);
  expect(numbers).toEqual(bits(expected));
  const test = expect.getState().currentTestName;
  if (asked.filter((other) => other.test === test).length < 8) asked.push({ test, model, rows, numbers });
}

const expectFeatures = (preprocess: Preprocess, rows: RawRows) =>
  expectAnswer(windowGraph(preprocess), rows, rowMajor(transform(preprocess, frameOfRows(preprocess, rows))));

/** Texts that are nearly right: one of the given ones with a character changed, left out or put in. */
const nearly = (texts: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...texts), fc.nat(30), fc.constantFrom('', '0', '9', '-', ':', ' ', 'T', 'Z', '+', '.', '/', 'é'), fc.nat(2))
    .map(([text, at, put, cut]) => text.slice(0, at) + put + text.slice(at + cut));

test.each(dateFormats)('%s: any text, a date or not', async (format) => {
  const texts = probesOf({ type: 'date', format } as never) as string[];
  const train = texts.filter((text) => text !== '');
  const preprocess = fitCells([{ name: 'd', type: 'date', cells: [...train, null] }], { d: { date: format } });
  expect(preprocess.features.length).toBeGreaterThan(5);
  await expectFeatures(preprocess, { rows: texts.length, columns: [texts] });
  await expectFeatures(preprocess, { rows: 1, columns: [['']] });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(nearly(texts), fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 20 }), (cells) =>
      expectFeatures(preprocess, { rows: cells.length, columns: [cells.map((cell) => cell.replaceAll('\0', ''))] }),
    ),
    { numRuns: 8 },
  );
});

test.each(formats)('numbers written with %s: any text, a number or not', async (_, written, examples) => {
  const texts = examples.map(([text]) => text);
  const cells = [...examples.map(([, number]) => Math.fround(number)), null];
  const columns = [
    { name: 'n', type: 'number', cells },
    { name: 'w', type: 'number', cells: cells.map((cell) => cell && 1e9 + cell), wide: true },
    { name: 'p', type: 'number', cells: cells.map((_, i) => i) },
  ] as const satisfies Cells[];
  const preprocess = fitCells(columns, { n: { written }, w: { written } });
  const graph = windowGraph(preprocess);
  const plain = (rows: number) => Float32Array.from({ length: rows }, (_, row) => row);
  const ask = (raw: string[]) =>
    expectAnswer(
      graph,
      { rows: raw.length, columns: [raw, raw, plain(raw.length)] },
      rowMajor(transform(preprocess, frameOfRows(preprocess, { rows: raw.length, columns: [raw, raw, plain(raw.length)] }))),
    );
  expect(fuseInputs(graph, new Set(['p']))?.columns).toEqual(['p']);
  await ask(texts);
  await ask(['']);
  await ask(['9'.repeat(60), '9'.repeat(61), `0${written.decimal}${'0'.repeat(60)}1`]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(nearly(texts), fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 20 }), (raw) =>
      ask(raw.map((text) => text.replaceAll('\0', ''))),
    ),
    { numRuns: 20 },
  );
  // Numbers by themselves, as a request's JSON has them, are written for the graph.
  const numbers = Float32Array.from([1.5, -0.001, 1e-7, 1e30, 0, -0, Number.NaN]);
  const rows = { rows: numbers.length, columns: [numbers, Float64Array.from(numbers), plain(numbers.length)] };
  const predictor = await loadModel(graph);
  const answered = predictor.run(rows);
  predictor.dispose();
  expect(bits(answered.task === 'classification' ? answered.probabilities : answered.values)).toEqual(
    bits(rowMajor(transform(preprocess, frameOfRows(preprocess, rows)))),
  );
});

/** Columns of all kinds whose values matter, with missing ones among them. */
function madeTable(rows: number): { columns: Cells[]; labels: Int32Array } {
  const random = new Random(11);
  const draw = <T>(make: () => T) => Array.from({ length: rows }, () => (random.below(12) === 0 ? null : make()));
  const day = draw(() => new Date(Date.UTC(2020, 0, random.below(800), random.below(24))).toISOString().slice(0, 16));
  const city = draw(() => `city ${random.below(150)}`);
  const size = draw(() => Math.fround(random.uniform()));
  const kind = draw(() => 'abcde'[random.below(5)]!);
  const labels = Int32Array.from(day, (text, i) => {
    const odd = kind[i] === 'b' || kind[i] === 'd' ? 2 : 0;
    const score = Number(text?.slice(5, 7) ?? 3) + (Number(city[i]?.slice(5) ?? 0) % 7) + 4 * (size[i] ?? 0) + odd;
    return score > 12 ? 2 : score > 8 ? 1 : 0;
  });
  return {
    columns: [
      { name: 'day', type: 'date', cells: day },
      { name: 'size', type: 'number', cells: size },
      { name: 'city', type: 'category', cells: city },
      { name: 'shape', type: 'category', cells: draw(() => ['round', 'square'][random.below(2)]!) },
      { name: 'kind', type: 'category', cells: kind },
      {
        name: 'note',
        type: 'text',
        cells: draw(() => Array.from({ length: 3 + random.below(9) }, () => `Word${random.below(90)},`).join(' ')),
      },
      { name: 'weight', type: 'number', cells: draw(() => Math.round(random.uniform() * 5)) },
    ],
    labels,
  };
}

test.each(families)('$name: the graph answers as the trained model', async (family) => {
  const rows = 1500;
  const { columns, labels } = madeTable(rows);
  const target = { task: 'classification', classes: 3, labels } as const;
  const learning = { target, foldOf: Int32Array.from(labels, (_, row) => row % 5) };
  const fitted = fitCells(columns, { day: { date: 'YYYY-MM-DD' } }, learning);
  const pairs = (['over', 'minus', 'times'] as const).map((operation) => ({ operation, a: 1, b: 6 }));
  const crosses = [...pairs, ...[2, 3, 4].map((b) => ({ operation: 'within' as const, a: 1, b }))];
  const preprocess = { ...withCrosses(fitted, crosses, frameOf(columns)), classes: ['a', 'b', 'c'] };
  expect(preprocess.columns.filter(isDerived).map(({ type }) => type)).toEqual(['date', 'encoding', 'text']);
  const x = transformTrain(preprocess, frameOf(columns), learning);
  const params = family.parse(Object.fromEntries(Object.entries(family.grid).map(([name, values]) => [name, values[0]!])));
  const model = await family.fit(x, target, params, { seed: 1, workers: 1 });
  const { graph, report } = await optimiseGraph({ preprocess, model });
  expect(report.kept).toBe('categories' in params ? 'folded' : 'as it was');
  // Numbers come as one tensor, whatever is made of them.
  const numbers = preprocess.columns.flatMap(({ type, name }) => (type === 'number' ? [name] : []));
  expect(fuseInputs(graph, new Set(numbers))?.columns).toEqual(numbers);
  const raw: RawRows = {
    rows: 400,
    columns: preprocess.columns.map((column, i) => {
      const texts = isDerived(column) ? (probesOf(column) as string[]) : ['', 'round', 'odd'];
      const cells = [...columns[i]!.cells.slice(0, 300), ...Array.from({ length: 100 }, (_, row) => texts[row % texts.length]!)];
      return column.type === 'number'
        ? Float32Array.from(cells, (cell, row) => (typeof cell === 'number' ? (row % 50 === 7 ? cell * 1e6 : cell) : Number.NaN))
        : cells.map((cell) => String(cell ?? ''));
    }),
  };
  const expected = await model.predict(transform(preprocess, frameOfRows(preprocess, raw)));
  await expectAnswer(graph, raw, expected.task === 'classification' ? expected.probabilities : expected.values);
});

test('numbers that float32 merges stay apart, and are answered alike', async () => {
  const random = new Random(4);
  const cells = Array.from({ length: 500 }, (_, i) => 1.7e15 + Math.floor(i / 2) * 2 ** 31 + (i % 2) + random.below(100));
  const preprocess = fitCells([{ name: 'n', type: 'number', cells, wide: true }]);
  expect(preprocess.features).toEqual(['n', 'n: beyond float32']);
  const values = Float64Array.from([...cells, ...(probesOf(preprocess.columns[0] as FittedWide) as number[])]);
  await expectFeatures(preprocess, { rows: values.length, columns: [values] });
  const { data, rows } = transform(preprocess, frameOf([{ name: 'n', type: 'number', cells, wide: true }]));
  expect(new Set(cells.map((_, row) => `${data[row]} ${data[rows + row]}`)).size).toBe(new Set(cells).size);
  expect(new Set(cells.map(Math.fround)).size).toBeLessThan(300);
});

test('numbers beyond the range of float32 are told apart by their sign', async () => {
  const cells = Array.from({ length: 100 }, (_, i) => (i % 7 === 0 ? -1 : 1) * (i + 1) * 1e300);
  const preprocess = fitCells([{ name: 'n', type: 'number', cells, wide: true }]);
  expect(preprocess.features).toEqual(['n']);
  await expectFeatures(preprocess, { rows: 100, columns: [Float32Array.from(cells)] });
});

const sentences = fc.array(
  fc.oneof(
    fc.constantFrom(
      'Great',
      'great',
      'GREAT',
      'service',
      'slow',
      'ß',
      'İstanbul',
      'naïve',
      '日本',
      '😀',
      'don’t',
      '1999',
      '…',
      '“hi”',
      '\uFFFD',
      'x'.repeat(300),
    ),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  ),
  { maxLength: 12 },
);
const text = fc.tuple(sentences, fc.constantFrom(' ', ', ', '\n', '')).map(([words, between]) => words.join(between));

test('texts: any characters, none, and very many', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 40, maxLength: 60 }),
      fc.array(text, { minLength: 1, maxLength: 20 }),
      async (train, texts) => {
        const cells = [...train, ...train.map((cell) => `${cell} great service`), null].map((cell) => (cell?.trim() ? cell : null));
        const columns: Cells[] = [
          { name: 't', type: 'text', cells },
          { name: 'n', type: 'number', cells: cells.map((_, i) => i) },
        ];
        const labels = Int32Array.from(cells, (_, i) => i % 2);
        const learning = { target: { task: 'classification', classes: 2, labels } as const, foldOf: labels };
        const preprocess = fitCells(columns, {}, learning);
        const more = [
          '',
          'NA',
          'n/a',
          ' ',
          texts.join(' ').repeat(50),
          ...(probesOf(preprocess.columns[0] as FittedText) as string[]).slice(-4),
        ];
        const asked = [...texts, ...more].map((cell) => cell.toWellFormed().replaceAll('\0', ''));
        await expectFeatures(preprocess, { rows: asked.length, columns: [asked, new Float32Array(asked.length)] });
      },
    ),
    { numRuns: 8 },
  );
});

test('two columns of texts, of which one is long and the other short', async () => {
  const long = Array.from(
    { length: 60 },
    (_, i) => `it was ${i % 2 ? 'good' : 'bad'} in all of the rooms ${i % 5} and on the ${i % 3} stairs`,
  );
  const short = Array.from({ length: 60 }, (_, i) => `no ${i % 4} here`);
  const target = { task: 'regression' as const, values: Float64Array.from({ length: 60 }, (_, i) => i % 20) };
  const learning = { target, foldOf: Int32Array.from({ length: 60 }, (_, i) => i % 5) };
  const columns = [long, short].map((cells, i): Cells => ({ name: `t${i}`, type: 'text', cells }));
  const preprocess = fitCells(columns, {}, learning);
  expect(preprocess.columns.filter(isDerived).map(({ type }) => type)).toEqual(['text', 'text']);
  await expectFeatures(preprocess, { rows: 60, columns: [long, short] });
  await expectFeatures(preprocess, { rows: 60, columns: [short, long] });
});

test('texts whose terms tell nearly all of a rare class', async () => {
  const cells = Array.from({ length: 3000 }, (_, i) => `some text ${i % 40} of ${i % 7} ${i % 300 === 0 ? 'fraud fraudulent' : 'sale'}`);
  const labels = Int32Array.from(cells, (_, i) => (i % 300 === 0 ? 1 : 0));
  const learning = { target: { task: 'classification', classes: 2, labels } as const, foldOf: Int32Array.from(cells, (_, i) => i % 5) };
  const preprocess = fitCells([{ name: 't', type: 'text', cells }], {}, learning);
  const { weights } = preprocess.columns[0] as FittedText;
  expect(Math.max(...weights.flat().map(Math.abs))).toBeGreaterThan(2 ** 24);
  const asked = ['fraud', 'sale fraud fraudulent text 3', 'text', 'some text of 3 sale'];
  await expectFeatures(preprocess, { rows: asked.length, columns: [asked] });
});

test('a category of 20,000 values: seen, unseen, missing, and in another case', async () => {
  const cells = Array.from({ length: 60_000 }, (_, row) => `Value ${(row * 7919) % 20_000}`);
  const values = Float64Array.from(cells, (_, row) => row % 97);
  const learning = { target: { task: 'regression', values } as const, foldOf: Int32Array.from(cells, (_, row) => row % 3) };
  const preprocess = fitCells([{ name: 'c', type: 'category', cells }], {}, learning);
  await expectFeatures(preprocess, { rows: 6, columns: [['Value 1', 'Value 19999', 'value 1', 'none of them', '', 'NA']] });
});

test.skipIf(!python)(
  'Python’s onnxruntime answers all of the above alike (needs the packages onnx, onnxruntime and numpy)',
  { timeout: 300_000 },
  () => {
    expect(asked.length).toBeGreaterThan(30);
    expect(askPython(asked).map(({ numbers }) => bits(numbers))).toEqual(asked.map(({ numbers }) => numbers));
  },
);
