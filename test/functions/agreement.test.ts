import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Answered, answer } from '../../core/answers/answers.ts';
import type { FoundAnswers } from '../../core/answers/find-answers.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { transform } from '../../core/features/tabular.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { deserializeModel } from '../../core/models/deserialize.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import { edgeRows } from '../../core/registry/parity.ts';
import type { Frame } from '../../core/table/frame.ts';
import { readFrame } from '../../core/table/frame-file.ts';
import type { Fit } from '../../functions/fit.lambda.ts';
import { pythonHas, runPython } from '../python.ts';
import { Laboratory } from './laboratory.ts';

const examples = resolve(import.meta.dirname, '../../examples');

/** Runs model.onnx on rows of JSON: numbers as float32 with NaN for null, text as strings with '' for null. */
const judge = `
import json, sys, numpy as np, onnxruntime as ort
asked = json.load(sys.stdin)
session = ort.InferenceSession(asked['model'])
inputs = {}
for given in session.get_inputs():
    values = [row[asked['columns'].index(given.name)] for row in asked['rows']]
    if given.type == 'tensor(float)':
        inputs[given.name] = np.array([[np.nan if v is None else float(v)] for v in values], dtype=np.float32)
    else:
        inputs[given.name] = np.array([['' if v is None else v] for v in values], dtype=object)
names = [o.name for o in session.get_outputs()]
print(json.dumps({name: part.tolist() for name, part in zip(names, session.run(names, inputs))}))
`;

/** Rows in the order of the model's columns, as JSON has them. */
function jsonRows(frame: Frame): (number | string | null)[][] {
  return Array.from({ length: frame.rows }, (_, row) =>
    frame.columns.map((column) => {
      if (column.type === 'number') return Number.isNaN(column.values[row]!) ? null : column.values[row]!;
      return column.codes[row]! < 0 ? null : column.dictionary[column.codes[row]!]!;
    }),
  );
}

/** JSON has no infinities, and what is called so in a request is missing, as it is in a file. */
function finite(frame: Frame): Frame {
  const columns = frame.columns.map((column) =>
    column.type === 'number' ? { ...column, values: column.values.map((value) => (Number.isFinite(value) ? value : Number.NaN)) } : column,
  );
  return { ...frame, columns };
}

/** Files of an example. */
const example = (dataset: string, ...names: string[]) =>
  names.map((name) => [name, readFileSync(`${examples}/${dataset}/${name}`)] as const);

/** Lopsided rents that follow from the district, which is missing here and there, and a size with gaps and outliers. */
function madeRents(): string {
  const random = new Random(9);
  const lines = Array.from({ length: 240 }, (_, row) => {
    const district = random.below(7);
    const size = 20 + random.below(100) + (row % 40 === 0 ? 5000 : 0);
    const rent = Math.exp(5 + ((district * 3) % 7) / 3 + Math.min(size, 200) / 80 + random.uniform() / 3);
    return [row % 11 === 0 ? '' : `district ${district}`, row % 13 === 0 ? '' : size, rent.toFixed(2)].join();
  });
  return `district,size,rent\n${lines.join('\n')}\n`;
}

test.skipIf(!pythonHas('onnxruntime', 'numpy')).each([
  ['breast-cancer', example('breast-cancer', 'breast-cancer.csv')],
  ['penguins', example('penguins', 'dataset.json', 'penguins.csv')],
  ['auto-mpg', example('auto-mpg', 'auto-mpg.jsonl')],
  ['rents', [['rents.csv', madeRents()]] as const],
])(
  "%s: the API, the trained model and Python's onnxruntime give the same answers, sets and intervals too, for every row, at split edges, and for what was never seen [needs Python with onnxruntime and numpy]",
  { timeout: 300_000 },
  async (dataset, files) => {
    const lab = new Laboratory();
    let event = {};
    for (const [file, content] of files) event = await lab.upload(`raw/${dataset}/${file}`, content);
    await lab.prepare(event);
    await lab.runAll();
    const { run, revision } = lab.queue.records.at(-1)!;
    const bytes = async (store: typeof lab.rawData, key: string) => (await store.get(key))!.body;
    const folder = mkdtempSync(join(tmpdir(), 'ingot-agreement-'));
    writeFileSync(join(folder, 'table.parquet'), await bytes(lab.rawData, dataKeys.table(dataset, revision)));
    writeFileSync(join(folder, 'model.onnx'), await bytes(lab.rawModels, modelKeys.model(dataset, 1)));

    const preprocess = (await getJson<Preprocess>(lab.rawData, dataKeys.preprocess(dataset, revision)))!;
    const { family } = (await getJson<Fit>(lab.rawModels, modelKeys.fit(run)))!;
    const trained = deserializeModel(family, await bytes(lab.rawModels, modelKeys.fitted(run)));
    const { answers } = (await getJson<FoundAnswers>(lab.rawModels, modelKeys.answers(run)))!;
    const columns = preprocess.columns.map(({ name }) => name);
    const frame = await readFrame(join(folder, 'table.parquet'), { columns });
    const unseen: Frame = {
      rows: 2,
      columns: preprocess.columns.map(({ name, type }) =>
        type === 'number'
          ? { type, name, values: Float32Array.of(Number.NaN, 1e30) }
          : { type: 'category', name, codes: Int32Array.of(-1, 0), dictionary: [type === 'boolean' ? 'true' : 'never seen'] },
      ),
    };
    // A model without trees has no edges.
    for (const asked of [frame, finite(edgeRows(frame, preprocess, trained)), unseen].filter((rows) => rows.rows > 0)) {
      const rows = jsonRows(asked);
      const records = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
      const { body } = await lab.ask('POST', `/models/${dataset}/predict`, { rows: records });
      const api = JSON.parse(body).predictions as object[];
      const answered = answer(answers, await trained.predict(transform(preprocess, asked)));
      const { classes = [] } = preprocess;
      expect(api).toEqual(tell(answered, classes));
      const python = JSON.parse(runPython(judge, JSON.stringify({ model: join(folder, 'model.onnx'), columns, rows })));
      expect(tellPython(python, classes)).toEqual(api);
      const plain = await lab.ask('POST', '/predict', { model: dataset, input_data: rows });
      const numbers = api.map((each) =>
        'value' in each ? [each.value] : Object.values((each as { probabilities: object }).probabilities),
      );
      expect(JSON.parse(plain.body).output_data).toEqual(numbers);
    }
  },
);

/** A row's answer as the API tells it. */
function tell(answered: Answered, classes: string[]): object[] {
  if (answered.task === 'regression') {
    return Array.from(answered.values, (value, row) => ({ value, interval: [...answered.interval!.subarray(row * 2, row * 2 + 2)] }));
  }
  const { probabilities, labels, set } = answered;
  const width = classes.length;
  return Array.from(labels, (label, row) => ({
    label: classes[label],
    probabilities: Object.fromEntries(classes.map((name, k) => [name, probabilities[row * width + k]])),
    set: classes.filter((_, k) => set![row * width + k] === 1),
  }));
}

interface PythonOutputs {
  label: string[];
  probabilities: number[][];
  set: boolean[][];
  value?: number[][];
  interval: number[][];
}

function tellPython({ label, probabilities, set, value, interval }: PythonOutputs, classes: string[]): object[] {
  if (value) return value.map(([each], row) => ({ value: each, interval: interval[row] }));
  return label.map((own, row) => ({
    label: own,
    probabilities: Object.fromEntries(classes.map((name, k) => [name, probabilities[row]![k]])),
    set: classes.filter((_, k) => set[row]![k]),
  }));
}
