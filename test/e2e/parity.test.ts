import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer } from '../../core/answers/answers.ts';
import type { FoundAnswers } from '../../core/answers/find-answers.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { takeRows } from '../../core/features/split.ts';
import { transform } from '../../core/features/tabular.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { deserializeModel } from '../../core/models/deserialize.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { edgeRows, rawRowsOf } from '../../core/registry/parity.ts';
import type { Frame } from '../../core/table/frame.ts';
import { readTarget } from '../../core/table/frame-file.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { StoredTable } from '../../core/table/stored-table.ts';
import { splitOf } from '../../functions/shared/features.ts';
import { askPython } from '../onnx/python.ts';
import { pythonHas } from '../python.ts';
import { Laptop } from './laptop.ts';

const examples = resolve(import.meta.dirname, '../../examples');
const hasOnnx = pythonHas('onnx', 'onnxruntime', 'numpy');

let laptop: Laptop;
beforeAll(async () => {
  laptop = await Laptop.start();
});
afterAll(async () => {
  await laptop?.stop();
});

/** The frame's rows as a client would send them: text for categories, null for what is missing. */
function asJson(frame: Frame): Record<string, unknown>[] {
  return Array.from({ length: frame.rows }, (_, row) =>
    Object.fromEntries(
      frame.columns.map((column) => {
        if (column.type === 'number') return [column.name, writeNumber(column.values[row]!)];
        return [column.name, column.codes[row]! < 0 ? null : column.dictionary[column.codes[row]!]];
      }),
    ),
  );
}

/** JSON has no infinities; as text they are read. */
function writeNumber(value: number): number | string | null {
  if (Number.isNaN(value)) return null;
  return Number.isFinite(value) ? value : String(value);
}

/** Every number missing in turn, and every category a value that nobody has seen. */
function oddRows(frame: Frame): Frame {
  const odd = takeRows(
    frame,
    Int32Array.from(frame.columns, (_, i) => i % frame.rows),
  );
  odd.columns.forEach((column, row) => {
    if (column.type === 'number') column.values[row] = Number.NaN;
    else column.codes[row] = column.dictionary.push(`never seen ${row}`) - 1;
  });
  return odd;
}

test.skipIf(!hasOnnx).each([
  ['breast-cancer', 'breast-cancer.csv'],
  ['penguins', 'penguins.csv'],
  ['auto-mpg', 'auto-mpg.jsonl'],
])(
  '%s: the API, our own predict and Python’s onnxruntime agree on every test row, odd row and split edge [needs Python with onnx and onnxruntime]',
  async (dataset, file) => {
    const { DataBucket, ModelBucket } = laptop.outputs;
    const put = (name: string) =>
      laptop.s3.send(
        new PutObjectCommand({ Bucket: DataBucket, Key: dataKeys.raw(dataset, name), Body: readFileSync(join(examples, dataset, name)) }),
      );
    if (dataset === 'penguins') await put('dataset.json');
    await put(file);
    const run = await laptop.finished(dataset);
    expect(run).toMatchObject({ status: 'SUCCEEDED' });

    const bytes = async (bucket: string, key: string) =>
      (await laptop.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body!.transformToByteArray();
    const json = async <T>(bucket: string, key: string) => JSON.parse(new TextDecoder().decode(await bytes(bucket, key))) as T;
    const preprocess = await json<Preprocess>(DataBucket, dataKeys.preprocess(dataset, run.revision));
    const report = await json<CleanReport>(DataBucket, dataKeys.report(dataset, run.revision));
    const card = await json<ModelCard>(ModelBucket, modelKeys.card(dataset, 1));
    const table = join(mkdtempSync(join(tmpdir(), 'ingot-parity-')), 'table.parquet');
    writeFileSync(table, await bytes(DataBucket, dataKeys.table(dataset, run.revision)));
    const stored = new StoredTable(
      table,
      preprocess.columns.map(({ name }) => name),
      report.rows.kept,
    );
    const { test } = await splitOf(await readTarget(table, report), stored, {});
    const tested = await stored.take(test);
    const trained = deserializeModel(card.family, await bytes(ModelBucket, modelKeys.fitted(run.id)));
    const { answers } = await json<FoundAnswers>(ModelBucket, modelKeys.answers(run.id));
    const model = await bytes(ModelBucket, modelKeys.model(dataset, 1));

    // A model without trees has no edges.
    for (const rows of [tested, oddRows(tested), edgeRows(tested, preprocess, trained)].filter(({ rows }) => rows > 0)) {
      const own = answer(answers, await trained.predict(transform(preprocess, rows)));
      const ours = own.task === 'classification' ? own.probabilities : own.values;
      const [python] = askPython([{ model, rows: rawRowsOf(rows) }]);
      expect(python!.numbers).toEqual(ours);
      const body = JSON.stringify({ rows: asJson(rows) });
      const response = await laptop.fetch(`models/${dataset}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const { predictions } = (await response.json()) as {
        predictions: { label?: string; value?: number; probabilities?: Record<string, number>; set?: string[]; interval?: number[] }[];
      };
      const answered = predictions.flatMap((each) =>
        each.probabilities ? preprocess.classes!.map((name) => each.probabilities![name]!) : [each.value!],
      );
      expect(Float32Array.from(answered)).toEqual(ours);
      if (own.task === 'regression') expect(Float32Array.from(predictions.flatMap(({ interval }) => interval!))).toEqual(own.interval);
      else
        expect(Uint8Array.from(predictions.flatMap(({ set }) => preprocess.classes!.map((name) => Number(set!.includes(name)))))).toEqual(
          own.set,
        );
      if (python!.labels) expect(predictions.map(({ label }) => label)).toEqual(python!.labels);
    }
  },
  300_000,
);
