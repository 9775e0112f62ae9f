/** The first start on a new home: a real dataset is dropped, and the model that comes of it is asked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { IngotError } from '../core/errors.ts';
import { dataKeys } from '../core/keys.ts';
import { region } from './template/template.ts';
import type { Terminal } from './terminal.ts';
import { type Api, call, pollMs } from './watch.ts';

export const example = {
  dataset: 'breast-cancer',
  file: 'breast-cancer.csv',
  path: join(import.meta.dirname, '../examples/breast-cancer/breast-cancer.csv'),
};

/** Cleaning and training the example take seconds; a machine that needs longer than this has some other trouble. */
const patienceMs = 10 * 60_000;

/** Uploads as any program would: over HTTP, signed. */
export async function uploadExample(outputs: Record<string, string>): Promise<void> {
  const client = new S3Client({
    endpoint: outputs['EndpointUrl']!,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const key = dataKeys.raw(example.dataset, example.file);
  await new Upload({ client, params: { Bucket: outputs['DataBucket']!, Key: key, Body: readFileSync(example.path) } }).done();
  client.destroy();
}

/** Rows of the example, its last column apart. */
export function exampleRows(): { columns: string[]; rows: { features: number[]; label: string }[] } {
  const [header, ...lines] = readFileSync(example.path, 'utf8').trim().split('\n');
  const rows = lines.map((line) => {
    const values = line.trim().split(',');
    return { features: values.slice(0, -1).map(Number), label: values.at(-1)! };
  });
  return { columns: header!.trim().split(',').slice(0, -1), rows };
}

interface Dataset {
  status: string;
  error?: { message: string; fix?: string };
}

interface Run {
  id: string;
  dataset: string;
  status: string;
  error?: { message: string; fix?: string };
}

/**
 * Waits until the example's model is live.
 * @throws IngotError Internal with the run's own words where it fails.
 */
export async function awaitModel(api: Api, dataset: string): Promise<Run> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    const found = await call<Dataset>(api, `datasets/${dataset}`).catch((): undefined => undefined);
    if (found?.status === 'REJECTED') throw new IngotError('Internal', `The example was rejected: ${found.error?.message}`);
    const { runs } = await call<{ runs: Run[] }>(api, 'runs').catch(() => ({ runs: [] }));
    const run = runs.find((each) => each.dataset === dataset);
    if (run?.status === 'SUCCEEDED') return run;
    if (run && run.status !== 'RUNNING')
      throw new IngotError('Internal', `The example's run ended ${run.status}: ${run.error?.message ?? ''}`);
    await sleep(pollMs);
  }
  throw new IngotError('Unavailable', 'The example has not become a model in ten minutes.', { fix: 'See the logs in INGOT_HOME.' });
}

interface Predictions {
  model: string;
  version: number;
  predictions: { label: string | number | boolean; probabilities: Record<string, number> }[];
}

/** A malignant one and a benign one, as people read about them. */
const shownRows = [0, 19];

export async function tour(api: Api, outputs: Record<string, string>, terminal: Terminal): Promise<void> {
  const began = Date.now();
  terminal.line(
    `Dropping an example: ${example.file} (569 breast masses, is each malignant?) → s3://${outputs['DataBucket']}/raw/${example.dataset}/`,
  );
  await uploadExample(outputs);
  await awaitModel(api, example.dataset);
  const { columns, rows } = exampleRows();
  const asked = shownRows.map((index) => rows[index]!);
  const answer = await call<Predictions>(api, `models/${example.dataset}/predict`, {
    rows: asked.map(({ features }) => Object.fromEntries(columns.map((name, column) => [name, features[column]]))),
  });
  terminal.line();
  terminal.line(`From the drop to the first answer: ${((Date.now() - began) / 1000).toFixed(1)} s.`);
  for (const [index, { label, probabilities }] of answer.predictions.entries()) {
    const sure = Math.round(100 * (probabilities[String(label)] ?? Number.NaN));
    terminal.line(`  row ${shownRows[index]! + 1}: predicted ${label} (${sure} %), true label ${asked[index]!.label}`);
  }
}

/** What to type next: the example's model is asked where there is one, else the reader's own. */
export async function nextSteps(api: Api, outputs: Record<string, string>): Promise<string> {
  const { ApiUrl, ApiKey, DataBucket, EndpointUrl } = outputs;
  const ask = await call(api, `models/${example.dataset}`).then(askExample, () => askYours);
  return `Drop a file of your own (csv, tsv, json, jsonl, parquet, gzip of them; the last column is what to learn):

  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \\
    aws --endpoint-url ${EndpointUrl} --region ${region} s3 cp my.csv s3://${DataBucket}/raw/my-data/my.csv

  python: boto3.client('s3', endpoint_url='${EndpointUrl}', region_name='${region}', aws_access_key_id='test',
            aws_secret_access_key='test').upload_file('my.csv', '${DataBucket}', 'raw/my-data/my.csv')

  curl:   curl -s -H 'x-api-key: ${ApiKey}' -H 'content-type: application/json' -d '{"files":["my.csv"]}' ${ApiUrl}datasets/my-data/uploads
          curl -T my.csv '<the url that it gave>'

${ask(api)}

Ctrl-C stops it; everything is kept for the next start.`;
}

function askExample() {
  const { columns, rows } = exampleRows();
  return ({ url, key }: Api) => `Ask a model (${columns.length} numbers in the order of the columns give the probabilities of the classes):

  curl -s -H 'x-api-key: ${key}' -H 'content-type: application/json' ${url}predict \\
    -d '${JSON.stringify({ input_data: [rows[0]!.features], model: example.dataset })}'`;
}

const askYours = ({ url, key }: Api) => `Ask its model, once it is there, with rows of the file:

  curl -s -H 'x-api-key: ${key}' -H 'content-type: text/csv' --data-binary @my.csv ${url}models/my-data/predict`;
