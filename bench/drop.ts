/**
 * From the upload of the example to its first prediction through the API, on the laptop cloud with a fresh home: the median of three
 * starts, and where the time went. There is no rival; `rival` is the minute that we allow ourselves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataKeys } from '../core/keys.ts';
import { startCloud } from '../local/start-cloud.ts';
import { synthesize } from '../local/synth.ts';
import { awaitModel, example, exampleRows, uploadExample } from '../local/tour.ts';
import { call } from '../local/watch.ts';
import { machine, median, type Result } from './alternate.ts';

const rounds = 3;
const allowedSeconds = 60;

/** Seconds from the upload's first byte at which each step was done. */
type Steps = Record<string, number>;

export default async function drop(): Promise<Result> {
  const assembly = synthesize();
  const all: Steps[] = [];
  for (let round = 0; round < rounds; round++) {
    const steps = await once(assembly);
    all.push(steps);
    console.log(`round ${round + 1}: ${JSON.stringify(steps)}`);
  }
  const names = Object.keys(all[0]!);
  const done = Object.fromEntries(names.map((name) => [name, median(all.map((steps) => steps[name]!))]));
  const spent = Object.fromEntries(names.map((name, index) => [name, round3(done[name]! - (index === 0 ? 0 : done[names[index - 1]!]!))]));
  for (const [name, seconds] of Object.entries(spent)) console.log(`${name.padEnd(10)} ${seconds.toFixed(2)} s`);
  const ours = done['answer']!;
  return {
    bench: 'drop',
    ratio: allowedSeconds / ours,
    ours,
    rival: allowedSeconds,
    unit: 's',
    same_work: true,
    spent,
    machine: machine(),
  };
}

async function once(assembly: string): Promise<Steps> {
  const home = mkdtempSync(join(tmpdir(), 'ingot-drop-'));
  const objects = new Map<string, number>();
  const running = await startCloud({
    assembly,
    home,
    port: 0,
    observer: { object: ({ key, eventTime }) => objects.set(key, Date.parse(eventTime)) },
  });
  try {
    const { outputs, cloud } = running;
    const api = { url: outputs['ApiUrl']!, key: outputs['ApiKey']! };
    const began = Date.now();
    const at = (time: number) => round3((time - began) / 1000);
    await uploadExample(outputs);
    const run = await awaitModel(api, example.dataset);
    await call(api, 'predict', { input_data: [exampleRows().rows[0]!.features], model: example.dataset });
    const answered = Date.now();
    const [machineOfRuns] = cloud.machines.values();
    const history = machineOfRuns!.history(run.id);
    const { startedAt, stoppedAt } = machineOfRuns!.get(run.id)!;
    const report = [...objects.keys()].find((key) => key.startsWith('clean/') && key.endsWith('report.json'))!;
    const stages = history.filter(({ type, state }) => type === 'StateExited' && state?.name !== 'Trial');
    return {
      upload: at(objects.get(dataKeys.raw(example.dataset, example.file))!),
      clean: at(objects.get(report)!),
      transform: at(startedAt),
      ...Object.fromEntries(stages.map(({ state, timestamp }) => [state!.name.toLowerCase(), at(timestamp)])),
      end: at(stoppedAt!),
      answer: at(answered),
    };
  } finally {
    await running.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const round3 = (value: number) => Math.round(value * 1000) / 1000;
