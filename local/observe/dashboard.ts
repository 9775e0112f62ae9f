/** The dashboard of the template, as a page: the same graphs as CloudWatch's, of the last hour, and the alarms that ring. */
import type { ServerResponse } from 'node:http';
import { send } from '../protocol/wire.ts';
import type { Alarm } from './alarms.ts';
import type { Dimension, Metrics } from './metrics.ts';

/** Lines of metrics over the same time. */
export interface Graph {
  title: string;
  lines: { namespace: string; metric: string; dimensions: Dimension[]; statistic: string; label: string }[];
}

export const dashboardPath = '/dashboard';
const dataPath = `${dashboardPath}/data.json`;

const minuteMs = 60_000;
const shownMinutes = 60;

/** @param now milliseconds since 1970 @returns of each graph the lines that have values, as [minutes from now, value] */
export function dashboardData(graphs: readonly Graph[], metrics: Metrics, alarms: Iterable<Alarm>, now: number) {
  const last = Math.floor(now / minuteMs);
  const minutes = Array.from({ length: shownMinutes + 1 }, (_, i) => i - shownMinutes);
  return {
    graphs: graphs.map(({ title, lines }) => ({
      title,
      series: lines.flatMap(({ namespace, metric, dimensions, statistic, label }) => {
        const found = metrics.find(namespace, metric, dimensions);
        const points = minutes.flatMap((minute) => {
          const value = found?.statistic(statistic, (last + minute) * minuteMs, (last + minute + 1) * minuteMs);
          return value === undefined ? [] : [[minute, value]];
        });
        return points.length > 0 ? [{ name: label, points }] : [];
      }),
    })),
    ringing: [...alarms].flatMap(({ settings, state, reason }) => (state === 'ALARM' ? [{ name: settings.name, reason }] : [])),
  };
}

/** Draws with what the console draws with. @param console its path, with a slash at the end */
const pageOf = (console: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Ingot: metrics</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${console}console.css">
</head>
<body>
<header><h1>Ingot: the last hour, by the minute</h1></header>
<main></main>
<script type="module">
import { chart } from '${console}charts.js';
import { node, row, table } from '${console}page.js';
async function refresh() {
  const { graphs, ringing } = await (await fetch('${dataPath}')).json();
  const drawn = graphs.map(({ title, series }) =>
    series.length > 0 ? chart(title, series, { x: 'minutes from now', y: 'value', xRange: [-${shownMinutes}, 0] }) : node('p', title + ': nothing'),
  );
  const alarms = ringing.length > 0 ? [table(['Alarm', 'because'], ringing.map(({ name, reason }) => row(name, reason)))] : [];
  document.querySelector('main').replaceChildren(...alarms, ...drawn);
}
refresh();
setInterval(refresh, 10_000);
</script>
</body>
</html>
`;

/** @param console its address @returns whether the path is the dashboard's */
export function serveDashboard(path: string, response: ServerResponse, console: string, data: () => object): boolean {
  if (path === dashboardPath) send(response, 200, 'text/html; charset=utf-8', pageOf(new URL(console).pathname), {});
  else if (path === dataPath) send(response, 200, 'application/json', JSON.stringify(data()), {});
  else return false;
  response.req.resume();
  return true;
}
