import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { python, pythonHas } from '../python.ts';
import { Laptop } from './laptop.ts';

const root = resolve(import.meta.dirname, '../..');
const aws = join(dirname(python), 'aws');
const hasAws = pythonHas('boto3', 'awscli');

describe('a newcomer types npm start', () => {
  let laptop: Laptop;
  beforeAll(async () => {
    laptop = await Laptop.start({ example: true });
  });
  afterAll(async () => {
    await laptop?.stop();
  });

  test('the example becomes a model and its prediction is printed with the commands to try next', async () => {
    const run = await laptop.finished('breast-cancer');
    expect(run).toMatchObject({ status: 'SUCCEEDED', stage: 'Release', progress: 1 });
    await laptop.until('the commands to try next', async () => (laptop.output.includes('curl -s') ? true : undefined));
    expect(laptop.output).toMatch(/predicted (malignant|benign) .*true label/);
    expect(laptop.output).toContain('--endpoint-url');
    expect(laptop.output).toContain('curl');
  });

  test('the model answers rows by name and rows in order alike', async () => {
    const [header, first] = readFileSync(join(root, 'examples/breast-cancer/breast-cancer.csv'), 'utf8').split('\n') as [string, string];
    const names = header.split(',').slice(0, -1);
    const values = first.split(',').slice(0, -1).map(Number);
    const row = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    const byName = await laptop.fetch('models/breast-cancer/predict', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows: [row] }),
    });
    const answer = (await byName.json()) as {
      model: string;
      version: number;
      predictions: { label: string; probabilities: Record<string, number> }[];
    };
    expect(byName.status).toBe(200);
    expect(answer).toMatchObject({ model: 'breast-cancer', version: 1, predictions: [{ label: 'malignant' }] });
    const inOrder = await laptop.fetch('predict', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input_data: [values] }),
    });
    expect(await inOrder.json()).toEqual({
      output_data: [[answer.predictions[0]!.probabilities['benign'], answer.predictions[0]!.probabilities['malignant']]],
    });
  });

  test('the card shows every candidate with its scores and where it stopped, and what the model is made of', async () => {
    const card = await laptop.get<{
      leaderboard: { entries: { mean: Record<string, number>; rung: number; perFold: number[] }[] };
      ensemble: { members: { weight: number }[]; why: string[] };
    }>('models/breast-cancer/versions/1');
    expect(card.leaderboard.entries.length).toBeGreaterThan(5);
    for (const { mean, rung, perFold } of card.leaderboard.entries) {
      expect(mean['accuracy']).toBeGreaterThan(0.85);
      expect(perFold.length).toBeGreaterThan(0);
      expect(rung).toBeGreaterThanOrEqual(0);
    }
    expect(card.ensemble.members.length).toBeGreaterThan(0);
  });

  test('no key, a wrong key and a page of somebody else are refused', async () => {
    for (const headers of [{}, { 'x-api-key': 'wrong' }]) {
      const response = await fetch(new URL('models', laptop.outputs.ApiUrl), { headers: headers as Record<string, string> });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { code: 'Forbidden' } });
    }
    expect((await laptop.fetch('models', { headers: { origin: 'http://evil.example' } })).status).toBe(403);
  });

  test.skipIf(!hasAws)('the AWS CLI lists the executions and invokes a function [needs Python with boto3 and awscli]', () => {
    const run = (...args: string[]) => execFileSync(aws, args, { env: laptop.clientEnv, encoding: 'utf8' });
    const { executions } = JSON.parse(run('stepfunctions', 'list-executions', '--state-machine-arn', laptop.outputs.StateMachineArn)) as {
      executions: { status: string }[];
    };
    expect(executions.map((execution) => execution.status)).toContain('SUCCEEDED');
    const { Functions: functions } = JSON.parse(run('lambda', 'list-functions')) as { Functions: { FunctionName: string }[] };
    const predict = functions.find((each) => /predict/i.test(each.FunctionName))!.FunctionName;
    const event = {
      httpMethod: 'GET',
      path: '/v2/health/ready',
      resource: '/v2/health/ready',
      headers: {},
      queryStringParameters: null,
      pathParameters: null,
      body: null,
      isBase64Encoded: false,
      requestContext: {},
    };
    const answer = join(laptop.home, 'answer.json');
    run('lambda', 'invoke', '--function-name', predict, '--payload', JSON.stringify(event), answer);
    expect(readFileSync(answer, 'utf8')).toContain('"statusCode":200');
  });

  test('a second start on the same home and a taken port are refused with a sentence', () => {
    const again = spawnSync(process.execPath, ['local/start.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, INGOT_HOME: laptop.home, INGOT_PORT: String(laptop.port) },
    });
    expect(again.status).not.toBe(0);
    expect(again.stderr + again.stdout).toMatch(/another ingot.*\n.*\n.*INGOT_HOME/i);
  });

  test('a setting of Batch that is no number is refused by its name', () => {
    const wrong = spawnSync(process.execPath, ['local/start.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, INGOT_HOME: `${laptop.home}-wrong`, INGOT_PORT: '0', INGOT_SPOT_RATE: 'often' },
    });
    expect(wrong.status).not.toBe(0);
    expect(wrong.stderr).toContain("INGOT_SPOT_RATE is 'often'");
  });

  test('SIGTERM stops it cleanly', async () => {
    expect(await laptop.stop()).toBe(0);
  });
});
