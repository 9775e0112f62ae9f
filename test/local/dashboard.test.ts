import { expect, test } from 'vitest';
import { start } from './assembly.ts';

const dashboard = (widgets: object[]) => ({
  Type: 'AWS::CloudWatch::Dashboard',
  Properties: { DashboardBody: JSON.stringify({ widgets }) },
});
const graph = (title: string, metrics: unknown[]) => ({ type: 'metric', width: 6, properties: { view: 'timeSeries', title, metrics } });

const template = {
  Resources: {
    Board: dashboard([
      graph('Jobs', [
        ['Ingot', 'JobsSucceeded', 'JobQueue', 'q', { stat: 'Sum' }],
        ['Ingot', 'JobMemoryUtilization', 'JobQueue', 'q', { stat: 'Maximum', label: 'memory' }],
      ]),
      graph('Runs', [['Ingot', 'RunsFailed', { stat: 'Sum' }]]),
    ]),
    Ringing: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: 'memory',
        Namespace: 'Ingot',
        MetricName: 'JobMemoryUtilization',
        Dimensions: [{ Name: 'JobQueue', Value: 'q' }],
        Statistic: 'Maximum',
        Threshold: 90,
        EvaluationPeriods: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      },
    },
  },
  Outputs: { ConsoleUrl: { Value: 'http://127.0.0.1/console/' } },
};

test('the template’s dashboard is a page, of the metrics of the last hour and the alarms that ring', async () => {
  const { cloud, url, close } = await start(template, {});
  const now = Date.now();
  const add = (name: string, value: number, minutesAgo: number) =>
    cloud.metrics.series('Ingot', name, [{ Name: 'JobQueue', Value: 'q' }]).add(value, now - minutesAgo * 60_000);
  for (const [value, minutesAgo] of [
    [1, 200],
    [2, 5],
    [3, 5],
    [4, 0],
  ] as const)
    add('JobsSucceeded', value, minutesAgo);
  add('JobMemoryUtilization', 95, 0);
  const [alarm] = cloud.alarms.values();
  alarm!.check(cloud.metrics, now);
  const found = (await (await fetch(`${url}/dashboard/data.json`)).json()) as {
    graphs: { series: { points: number[][] }[] }[];
    ringing: object[];
  };
  expect(found.graphs).toMatchObject([
    { title: 'Jobs', series: [{ name: 'JobsSucceeded, Sum' }, { name: 'memory' }] },
    { title: 'Runs', series: [] },
  ]);
  // Sums by the minute; whatever second of its minute it is now.
  expect(found.graphs[0]!.series[0]!.points.map(([, value]) => value)).toEqual([5, 4]);
  expect(found.graphs[0]!.series[1]!.points.map(([, value]) => value)).toEqual([95]);
  expect(found.ringing).toMatchObject([{ name: 'memory', reason: expect.any(String) }]);
  const page = await fetch(`${url}/dashboard`);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain("from '/console/charts.js'");
  expect((await fetch(`${url}/dashboard`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  await close();
});

test('a dashboard with anything but graphs of metrics is refused at the start', async () => {
  const text = { Resources: { Board: dashboard([{ type: 'text', properties: { markdown: '# Hello' } }]) } };
  await expect(start(text, {})).rejects.toThrow('cannot create Board: its body has what is not a graph of metrics');
});
