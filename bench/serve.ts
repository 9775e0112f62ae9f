/**
 * One row a request against a forest of 100 trees, at 1, 16 and 64 connections: ours through the laptop's gateway, key check and Lambda
 * processes, and the handler alone in one process; onnxruntime behind FastAPI and uvicorn (one process), which serves the same trees without
 * preprocessing, with uvloop and httptools (the ratio is against that) and without, as a plain install has it; and scikit-learn's forest behind Flask and waitress. The sides take turns; medians of the rounds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { machine, median, type Result } from './alternate.ts';
import { bench, benchPython, rivalEnvironment } from './python.ts';
import { makeModel, modelName } from './serve.model.ts';

const connections = [1, 16, 64];
const rounds = 3;
const seconds = 4;

interface Side {
  name: string;
  url: string;
  key: string;
  process: ChildProcess;
}

interface Load {
  requestsPerSecond: number;
  /** Milliseconds. */
  mean: number;
  p50: number;
  p99: number;
}

export default async function serve(): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-serve-model-'));
  const { matrixGraph, rows } = await makeModel();
  const model = join(directory, 'matrix.onnx');
  writeFileSync(model, matrixGraph);
  const sides: Side[] = [];
  try {
    sides.push(await ours('cloud'), await ours('alone'), await rival('fastapi', model), await rival('fastapi-plain', model));
    sides.push(await rival('flask', model));
    const [cloud, alone, fastapi, plain, flask] = await Promise.all(sides.map((side) => answers(side, rows)));
    const same = [alone, fastapi, plain].every((each) => largestDifference(each!, cloud!) < 1e-6);
    const loads = new Map<string, Load[]>();
    for (let round = 0; round < rounds; round++) {
      for (const count of connections) {
        for (const side of sides) {
          const load = await press(side, rows[0]!, count);
          const key = `${side.name} ${count}`;
          loads.set(key, [...(loads.get(key) ?? []), load]);
          console.log(`round ${round + 1}, ${key} connections: ${JSON.stringify(load)}`);
        }
      }
    }
    const results = Object.fromEntries([...loads].map(([key, each]) => [key, middle(each)]));
    const at16 = (name: string) => results[`${name} 16`]!;
    return {
      bench: 'serve',
      ratio: at16('cloud').requestsPerSecond / at16('fastapi').requestsPerSecond,
      ours: at16('cloud').requestsPerSecond,
      rival: at16('fastapi').requestsPerSecond,
      unit: 'requests/s',
      same_work: same,
      plainRatio: at16('cloud').requestsPerSecond / at16('fastapi-plain').requestsPerSecond,
      alonePlainRatio: at16('alone').requestsPerSecond / at16('fastapi-plain').requestsPerSecond,
      aloneRatio: at16('alone').requestsPerSecond / at16('fastapi').requestsPerSecond,
      flaskRatio: at16('cloud').requestsPerSecond / at16('flask').requestsPerSecond,
      /** The rival's own forest: other trees, so only the labels can be compared. */
      flaskAgrees: agreement(flask!, cloud!),
      results,
      machine: machine(),
    };
  } finally {
    for (const side of sides) side.process.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function ours(kind: 'cloud' | 'alone'): Promise<Side> {
  const child = spawn(process.execPath, [resolve(bench, 'serve.ours.ts'), kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, key } = JSON.parse(line.toString()) as { url: string; key: string };
  return { name: kind, url, key, process: child };
}

async function rival(kind: 'fastapi' | 'fastapi-plain' | 'flask', model: string): Promise<Side> {
  const port = await freePort();
  const child = spawn(benchPython(), [resolve(bench, 'serve.rival.py'), kind, model, String(port)], {
    env: rivalEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const side = { name: kind, url: `http://127.0.0.1:${port}/predict`, key: '', process: child };
  for (let tries = 0; ; tries++) {
    const up = await fetch(side.url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (up) return side;
    if (tries > 300 || child.exitCode !== null) throw new Error(`The ${kind} server does not start.`);
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const headersOf = ({ key }: Side) => ({ 'content-type': 'application/json', ...(key && { 'x-api-key': key }) });
const bodyOf = (side: Side, rows: number[][]) => JSON.stringify({ input_data: rows, ...(side.key && { model: modelName }) });

/** The probabilities that a side answers for all rows, each asked by itself. */
async function answers(side: Side, rows: number[][]): Promise<number[][]> {
  const all: number[][] = [];
  for (const row of rows) {
    const response = await fetch(side.url, { method: 'POST', headers: headersOf(side), body: bodyOf(side, [row]) });
    if (!response.ok) throw new Error(`${side.name} answers ${response.status}: ${await response.text()}`);
    all.push(...((await response.json()) as { output_data: number[][] }).output_data);
  }
  return all;
}

async function press(side: Side, row: number[], count: number): Promise<Load> {
  const options = { url: side.url, method: 'POST' as const, headers: headersOf(side), body: bodyOf(side, [row]), connections: count };
  await autocannon({ ...options, duration: 1 });
  const { requests, latency, errors, non2xx } = await autocannon({ ...options, duration: seconds });
  if (errors + non2xx > 0) throw new Error(`${side.name}: ${errors} errors, ${non2xx} answers that are not 2xx`);
  return { requestsPerSecond: Math.round(requests.average), mean: latency.mean, p50: latency.p50, p99: latency.p99 };
}

function largestDifference(a: number[][], b: number[][]): number {
  return Math.max(...a.flatMap((row, index) => row.map((value, column) => Math.abs(value - b[index]![column]!))));
}

/** The share of rows on which two sides name the same class. scikit-learn numbers the classes the other way around: 1 is benign. */
function agreement(a: number[][], b: number[][]): number {
  const positive = (row: number[]) => row[0]! > row[1]!;
  const same = a.filter((row, index) => positive(row) === positive(b[index]!)).length / a.length;
  return Math.max(same, 1 - same);
}

function middle(loads: Load[]): Load {
  const of = (name: keyof Load) => median(loads.map((load) => load[name]));
  return { requestsPerSecond: of('requestsPerSecond'), mean: of('mean'), p50: of('p50'), p99: of('p99') };
}
