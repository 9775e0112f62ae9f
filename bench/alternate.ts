/** Fair timing on a machine that others use too: both sides in turn, a fresh process each time, and the medians. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { allocatorEnvironment } from '../core/names.ts';
import { bench, benchPython, rivalEnvironment } from './python.ts';

/** What a comparison prints, last, as one line of JSON. */
export interface Result {
  bench: string;
  /** Above 1: we are ahead. */
  ratio: number;
  ours: number;
  rival: number;
  unit: string;
  /** Both sides did the same work, to an answer as good. */
  same_work: boolean;
  [detail: string]: unknown;
}

/** What one run of one side prints: how long it took from data in memory to result, and what else it found. */
export interface Run {
  seconds: number;
  peakMegabytes: number;
  [detail: string]: number;
}

const execute = promisify(execFile);

/** Runs `<name>.ours.ts`, as functions and jobs run, or `<name>.rival.py` in a process of its own; its last line is a Run. */
export async function runSide(file: string, args: string[]): Promise<Run> {
  const python = file.endsWith('.py');
  const { stdout } = await execute(python ? benchPython() : process.execPath, [resolve(bench, file), ...args], {
    cwd: bench,
    env: python ? rivalEnvironment() : { ...process.env, ...allocatorEnvironment },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Run;
}

/** Runs both sides in turn, `rounds` times each, and tells of each round. @returns the medians of all that the runs found */
export async function alternate(ours: () => Promise<Run>, rival: () => Promise<Run>, rounds: number): Promise<{ ours: Run; rival: Run }> {
  const runs: { ours: Run[]; rival: Run[] } = { ours: [], rival: [] };
  for (let round = 0; round < rounds; round++) {
    runs.ours.push(await ours());
    runs.rival.push(await rival());
    console.log(`round ${round + 1}: ours ${JSON.stringify(runs.ours[round])}, rival ${JSON.stringify(runs.rival[round])}`);
  }
  return { ours: medians(runs.ours), rival: medians(runs.rival) };
}

function medians(runs: Run[]): Run {
  return Object.fromEntries(Object.keys(runs[0]!).map((name) => [name, median(runs.map((run) => run[name]!))])) as Run;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function machine(): string {
  return `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
}
