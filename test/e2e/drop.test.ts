import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Explanation } from '../../core/explain/explainer.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { python, pythonHas, runPython } from '../python.ts';
import { Laptop, type RunSummary } from './laptop.ts';

const examples = resolve(import.meta.dirname, '../../examples');
const aws = join(dirname(python), 'aws');
const hasClients = pythonHas('boto3', 'awscli');

describe('somebody drops a file of their own', () => {
  let laptop: Laptop;
  beforeAll(async () => {
    laptop = await Laptop.start();
  });
  afterAll(async () => {
    await laptop?.stop();
  });

  const drop = (key: string, body: Uint8Array | string) =>
    laptop.s3.send(new PutObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: key, Body: body }));

  test.skipIf(!hasClients)(
    'a messy one, by the AWS CLI, with a dataset.json that names the target [needs Python with boto3 and awscli]',
    async () => {
      execFileSync(aws, ['s3', 'cp', `${examples}/penguins/dataset.json`, `s3://${laptop.outputs.DataBucket}/raw/penguins/`], {
        env: laptop.clientEnv,
      });
      execFileSync(aws, ['s3', 'cp', `${examples}/penguins/penguins.csv`, `s3://${laptop.outputs.DataBucket}/raw/penguins/`], {
        env: laptop.clientEnv,
      });
      expect(await laptop.finished('penguins')).toMatchObject({ status: 'SUCCEEDED' });
      const { status, report } = await laptop.get<{ status: string; report: CleanReport }>('datasets/penguins');
      expect(status).toBe('READY');
      expect(report.target).toBe('Species');
      const { read, kept, rejected, duplicates, missingTarget } = report.rows;
      expect(read).toBe(344);
      expect(kept + rejected + duplicates + missingTarget).toBe(344);
      expect(report.columns.find((column) => column.name === 'Sex')!.missing).toBeGreaterThan(0);
      const header = readFileSync(`${examples}/penguins/penguins.csv`, 'utf8').split('\n').slice(0, 2).join('\n');
      const answer = await laptop.fetch('models/penguins/predict', {
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
        body: header,
      });
      expect(await answer.json()).toMatchObject({ predictions: [{ label: 'Adelie Penguin (Pygoscelis adeliae)' }] });
    },
  );

  test.skipIf(!hasClients)('JSON lines, by boto3: a regression [needs Python with boto3 and awscli]', async () => {
    const environment = JSON.stringify({
      bucket: laptop.outputs.DataBucket,
      file: `${examples}/auto-mpg/auto-mpg.jsonl`,
      endpoint: laptop.outputs.EndpointUrl,
    });
    runPython(
      `import boto3, json, sys
c = json.load(sys.stdin)
s3 = boto3.client('s3', endpoint_url=c['endpoint'], region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test')
s3.upload_file(c['file'], c['bucket'], 'raw/auto-mpg/auto-mpg.jsonl')`,
      environment,
    );
    expect(await laptop.finished('auto-mpg')).toMatchObject({ status: 'SUCCEEDED' });
    const row = {
      name: 'a new one',
      cylinders: 4,
      displacement: 97,
      horsepower: null,
      weight: 2130,
      acceleration: 14.5,
      year: 1971,
      origin: 'Japan',
    };
    const answer = await laptop.fetch('models/auto-mpg/predict?explain=true', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify(row)}\n`,
    });
    const { predictions } = (await answer.json()) as { predictions: (Explanation & { value: number; interval: [number, number] })[] };
    expect(predictions[0]!.value).toBeGreaterThan(20);
    expect(predictions[0]!.value).toBeLessThan(35);
    expect(predictions[0]!.interval[0]).toBeLessThan(predictions[0]!.value);
    expect(predictions[0]!.interval[1]).toBeGreaterThan(predictions[0]!.value);
    const { contributions, base, raw } = predictions[0]!;
    expect(Object.values(contributions).reduce((a, b) => a + b, base)).toBeCloseTo(raw.value, 6);
    expect(raw.value).toBeCloseTo(predictions[0]!.value, 3);
  });

  test('by curl: a presigned address from POST /datasets/{d}/uploads takes the file', async () => {
    const asked = await laptop.fetch('datasets/cancer-too/uploads', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ files: ['data.csv.gz'] }),
    });
    expect(asked.status).toBeLessThan(300);
    const { uploads } = (await asked.json()) as { uploads: { file: string; url: string }[] };
    const path = join(mkdtempSync(join(tmpdir(), 'ingot-curl-')), 'data.csv.gz');
    writeFileSync(path, gzipSync(readFileSync(`${examples}/breast-cancer/breast-cancer.csv`)));
    execFileSync('curl', ['-sf', '-T', path, uploads[0]!.url]);
    expect(await laptop.finished('cancer-too')).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('the same upload twice gives one run and one version', async () => {
    const csv = readFileSync(`${examples}/breast-cancer/breast-cancer.csv`);
    await laptop.searchLittle('twice');
    await drop('raw/twice/data.csv', csv);
    await laptop.finished('twice');
    await drop('raw/twice/data.csv', csv);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const { runs } = await laptop.get<{ runs: RunSummary[] }>('runs');
    expect(runs.filter((run) => run.dataset === 'twice')).toHaveLength(1);
    const { versions } = await laptop.get<{ versions: unknown[] }>('models/twice');
    expect(versions).toHaveLength(1);
    const bytes = async (model: string) =>
      (
        await laptop.s3.send(new GetObjectCommand({ Bucket: laptop.outputs.ModelBucket, Key: `models/${model}/versions/1/model.onnx` }))
      ).Body!.transformToByteArray();
    expect((await bytes('twice')).length).toBeGreaterThan(1000);
  });

  test('data uploaded again after others are live again, without another run', async () => {
    const csv = (slope: number) => `x,y\n${Array.from({ length: 60 }, (_, i) => `${i}.5,${slope * i + (i % 7)}`).join('\n')}\n`;
    const live = (version: number) =>
      laptop.until(`version ${version} live`, async () => {
        const model = await laptop.get<{ aliases: { live?: { version: number } } }>('models/back').catch(() => undefined);
        return model?.aliases.live?.version === version ? model : undefined;
      });
    await laptop.searchLittle('back');
    await drop('raw/back/data.csv', csv(1));
    await live(1);
    await drop('raw/back/data.csv', csv(2));
    await live(2);
    await drop('raw/back/data.csv', csv(1));
    await live(1);
    const { runs } = await laptop.get<{ runs: RunSummary[] }>('runs');
    expect(runs.filter((run) => run.dataset === 'back')).toHaveLength(2);
  });

  const numbers = (rows: number, target: (i: number) => string) =>
    `x,y\n${Array.from({ length: rows }, (_, i) => `${(i * 37) % 101},${target(i)}`).join('\n')}\n`;
  const bad: [string, string, Uint8Array | string, RegExp][] = [
    ['an empty file', 'data.csv', '', /empty|no rows/i],
    ['a header and no rows', 'data.csv', 'a,b,c\n', /row/i],
    ['one row', 'data.csv', 'a,b\n1,2\n', /row|one|single/i],
    ['one class', 'data.csv', numbers(50, () => 'same'), /same|one|single/i],
    ['a target that is all missing', 'data.csv', numbers(50, () => ''), /missing|target/i],
    ['a truncated gzip', 'data.csv.gz', gzipSync(numbers(5000, (i) => String(i % 2))).subarray(0, 200), /gzip|truncated|decompress|read/i],
    ['a truncated parquet', 'data.parquet', Buffer.from('PAR1\x15\x04\x15'), /parquet/i],
  ];
  test.each(bad)('%s is rejected with what, where and mend, and the service goes on', async (name, file, body, message) => {
    const dataset = `bad-${name.replace(/\W+/g, '-')}`;
    await drop(`raw/${dataset}/${file}`, body);
    const answer = await laptop.until('the rejection', async () => {
      const found = await laptop.get<{ status: string; error?: { code: string; message: string; where?: string; fix?: string } }>(
        `datasets/${dataset}`,
      );
      return found.status === 'REJECTED' ? found : undefined;
    });
    expect(answer.error!.message).toMatch(message);
    expect(answer.error!.where).toBeTruthy();
    expect(answer.error!.fix).toBeTruthy();
  });

  test('a wrong dataset.json is rejected with its line and column', async () => {
    await drop('raw/wrong-spec/dataset.json', '{\n  "target": "y",\n  "folds": }\n');
    await drop(
      'raw/wrong-spec/data.csv',
      numbers(60, (i) => String(i % 2)),
    );
    const answer = await laptop.until('the rejection', async () => {
      const found = await laptop.get<{ status: string; error?: { code: string; where?: string } }>('datasets/wrong-spec');
      return found.status === 'REJECTED' ? found : undefined;
    });
    expect(answer.error).toMatchObject({ code: 'InvalidSpec', where: expect.stringContaining('line 3') });
  });

  test.each([
    ['UTF-16', Buffer.from(`\uFEFF${numbers(80, (i) => (i % 3 ? 'ja' : 'nein'))}`, 'utf16le')],
    [
      'hostile names',
      `"__proto__","""; DROP TABLE x; --",y\n${Array.from({ length: 80 }, (_, i) => `${(i * 37) % 101},${(i * 17) % 13},${(i * 37) % 101 > 50 ? 'a' : 'b'}`).join('\n')}\n`,
    ],
    [
      'ragged rows and NUL bytes',
      `x,y\n${Array.from({ length: 80 }, (_, i) => (i === 40 ? '1,2,3,4' : i === 50 ? '1\0,a' : `${(i * 37) % 101},${(i * 37) % 101 > 50 ? 'a' : 'b'}`)).join('\n')}\n`,
    ],
  ])('a file with %s is learned, what could not be read is counted', async (name, body) => {
    const dataset = `odd-${name.replace(/\W+/g, '-')}`;
    await drop(`raw/${dataset}/data.csv`, body);
    expect(await laptop.finished(dataset)).toMatchObject({ status: 'SUCCEEDED' });
    const { report } = await laptop.get<{ report: CleanReport }>(`datasets/${dataset}`);
    const { read, kept, rejected, duplicates, missingTarget } = report.rows;
    expect(kept + rejected + duplicates + missingTarget).toBe(read);
    expect(read).toBe(80);
  });

  test('an object in the data bucket that is no dataset disturbs nobody', async () => {
    await drop('elsewhere/file.bin', 'x');
    await drop('raw/no-folder.csv', 'x');
    expect((await laptop.fetch('models')).status).toBe(200);
  });

  test('requests that are wrong get the contract error with place and mend', async () => {
    await drop(
      'raw/asked/data.csv',
      numbers(100, (i) => ((i * 37) % 101 > 50 ? 'a' : 'b')),
    );
    await laptop.finished('asked');
    const ask = async (path: string, body: string, type = 'application/json') => {
      const response = await laptop.fetch(path, { method: 'POST', headers: { 'content-type': type }, body });
      return {
        status: response.status,
        ...((await response.json()) as { error: { code: string; message: string; where?: string; fix?: string } }),
      };
    };
    expect(await ask('models/asked/predict', '{"rows":[{}]}')).toMatchObject({
      status: 400,
      error: { code: 'InvalidRow', where: expect.stringContaining('rows[0]') },
    });
    expect(await ask('models/asked/predict', '{"rows":[{"x":1,"z":2}]}')).toMatchObject({
      status: 400,
      error: { code: 'InvalidRow', where: expect.stringContaining('z') },
    });
    expect(await ask('models/asked/predict', '{"rows":[{"x":"many"}]}')).toMatchObject({
      status: 400,
      error: { code: 'InvalidRow', where: expect.stringContaining('x') },
    });
    expect(await ask('models/asked/predict', '{"rows":')).toMatchObject({ status: 400, error: { code: 'InvalidRequest' } });
    expect(await ask('models/asked/predict', 'x', 'image/png')).toMatchObject({ status: 415, error: { code: 'UnsupportedMediaType' } });
    expect(await ask('models/nobody/predict', '{"rows":[{"x":1}]}')).toMatchObject({ status: 404, error: { code: 'NotFound' } });
    expect(await ask('no/such/path', '{}')).toMatchObject({ status: 404, error: { code: 'NotFound' } });
    const big = await laptop.fetch('models/asked/predict', {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: `x\n${'1\n'.repeat(5_300_000)}`,
    });
    expect(big.status).toBe(413);
    expect((await big.json()) as object).toMatchObject({ error: { code: 'PayloadTooLarge' } });
    expect((await laptop.fetch('models/asked')).status).toBe(200);
  });
});
