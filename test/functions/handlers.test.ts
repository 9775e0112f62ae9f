import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { dataKeys } from '../../core/keys.ts';
import { environment, type FunctionName, functionNames } from '../../core/names.ts';
import { apiEvent } from './api-event.ts';
import { AwsServer } from './aws-server.ts';
import { s3Event } from './s3-event.ts';

const spec = JSON.stringify({ folds: 2, grids: { forest: { nEstimators: [5], maxDepth: [null], minSamplesSplit: [2] } } });
const table = `x,y\n${Array.from({ length: 80 }, (_, i) => `${(i * 37) % 101},${(i * 37) % 101 > 50 ? 'large' : 'small'}`).join('\n')}\n`;
const context = {
  functionName: 'ingot',
  awsRequestId: 'c6af9ac6',
  memoryLimitInMB: '1024',
  invokedFunctionArn: 'arn',
  functionVersion: '1',
} as Context;

let aws: AwsServer;
let handlers: Record<FunctionName, (event: unknown, context: Context) => Promise<unknown>>;
const printed: string[] = [];

/** The handlers as Lambda has them: by their module, their environment and AWS behind an endpoint. */
beforeAll(async () => {
  aws = await AwsServer.start(['data', 'models']);
  const settings = {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    [environment.dataBucket]: 'data',
    [environment.modelBucket]: 'models',
    [environment.stateMachineArn]: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingot',
    [environment.alarmTopicArn]: 'arn:aws:sns:us-east-1:000000000000:alarms',
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => printed.push(String(line)) > 0);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const modules = await Promise.all(functionNames.map((name) => import(`../../functions/${name}.lambda.ts`)));
  handlers = Object.fromEntries(functionNames.map((name, i) => [name, modules[i].handler])) as typeof handlers;
});

afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await aws.stop();
});

const eventOf = (key: string) =>
  s3Event(key, { versionId: aws.s3.head('data', key)!.versionId, sequencer: '0055AED6DCD90281E5', eventTime: '2026-11-25T08:00:00.000Z' });

async function http(name: 'api' | 'predict', method: string, path: string, body?: unknown) {
  const answer = (await handlers[name](apiEvent(method, path, body), context)) as { statusCode: number; body: string };
  return { status: answer.statusCode, json: JSON.parse(answer.body) };
}

describe('the handlers, on S3 and Step Functions over HTTP', () => {
  test('take a file from its upload to an answer', async () => {
    const { json } = await http('api', 'POST', '/datasets/d/uploads', { files: ['dataset.json', 'data file.csv'] });
    for (const [i, body] of [spec, table].entries()) {
      expect((await fetch(json.uploads[i].url, { method: 'PUT', body })).status).toBe(200);
    }
    await handlers.clean(eventOf('raw/d/data file.csv'), context);
    const { revision, status } = (await http('api', 'GET', '/datasets/d')).json;
    expect(status).toBe('CLEAN');
    const report = eventOf(dataKeys.report('d', revision));
    await handlers.transform(report, context);
    await handlers.transform(report, context);
    const [started, ...others] = aws.executions.values();
    expect(others).toEqual([]);
    const event = JSON.parse(started!.input);
    expect(event).toEqual({ run: started!.name, dataset: 'd', revision });
    const { trials } = (await handlers.plan(event, context)) as { trials: string[] };
    for (const trial of trials) await handlers.search({ ...event, trial }, context);
    for (const stage of ['select', 'fit', 'optimise', 'gate', 'register', 'release'] as const) await handlers[stage](event, context);
    expect((await http('api', 'GET', `/runs/${event.run}`)).json).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
    expect((await http('api', 'GET', '/models/d')).json).toMatchObject({ versions: [{ version: 1 }], aliases: { live: { version: 1 } } });
    const answer = await http('predict', 'POST', '/models/d/predict', { rows: [{ x: 3 }, { x: 99 }] });
    expect(answer.json).toMatchObject({ version: 1, predictions: [{ label: 'small' }, { label: 'large' }] });
  });

  test('count in the embedded metric format, without dimensions', () => {
    const lines = printed.flatMap((text) => text.split('\n')).filter((line) => line.includes('CloudWatchMetrics'));
    const directives = lines.flatMap(
      (line) => JSON.parse(line)._aws.CloudWatchMetrics as { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[],
    );
    expect(directives.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))).toEqual(
      expect.arrayContaining(['DatasetsCleaned', 'RowsRead', 'RowsRejected', 'RunsSucceeded', 'Predictions']),
    );
    for (const { Namespace, Dimensions } of directives) expect([Namespace, Dimensions]).toEqual(['Ingot', [[]]]);
  });

  test('cancel a run', async () => {
    await aws.s3.put(
      'models',
      'runs/e-1/run.json',
      JSON.stringify({ run: 'e-1', dataset: 'e', revision: 'r', createdAt: new Date().toISOString() }),
    );
    aws.executions.set('e-1', { name: 'e-1', input: '{}', startDate: Date.now() / 1000, status: 'RUNNING' });
    expect((await http('api', 'GET', '/runs')).json.runs[0]).toMatchObject({ id: 'e-1', status: 'RUNNING' });
    expect(await http('api', 'DELETE', '/runs/e-1')).toMatchObject({ status: 202, json: { status: 'ABORTED' } });
  });

  test('tell the topic of a run that failed', async () => {
    const run = { run: 'f-1', dataset: 'f', revision: 'r' };
    const error = await handlers.plan(run, context).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error!.name).toBe('NotFound');
    const Cause = JSON.stringify({ errorType: error!.name, errorMessage: error!.message, trace: [] });
    await handlers.fail({ ...run, error: { Error: error!.name, Cause } }, context);
    expect(aws.messages.map((message) => message.get('Subject'))).toEqual(['Ingot: the run f-1 failed']);
    const { body } = (await aws.s3.get('models', 'runs/f-1/failure.json'))!;
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'NotFound', stage: 'Plan', fix: expect.any(String) });
  });

  test.each([
    ['Sandbox.Timedout', '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 900.00 seconds"}', 'Unavailable', /time/],
    [
      'Runtime.ExitError',
      '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}',
      'Unavailable',
      /memory/,
    ],
    ['TypeError', '{"errorType":"TypeError","errorMessage":"x is not a function"}', 'Internal', /TypeError/],
    ['States.Runtime', '', 'Internal', /States\.Runtime/],
  ])('understand what Step Functions says of %s', async (type, Cause, code, message) => {
    const run = `g-${type.replace('.', '-')}`;
    await handlers.fail({ run, dataset: 'g', revision: 'r', error: { Error: type, Cause } }, context);
    const failure = JSON.parse((await aws.s3.get('models', `runs/${run}/failure.json`))!.body.toString());
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message), fix: expect.any(String), stage: 'Plan' });
  });
});
