/**
 * One search by one worker, and by eight children of an array job, as processes on the laptop's Batch, each held to one core: the same trials of the
 * same plan, in turn, from submission to the last trial's object. There is no rival; `rival` is the one worker, and as many times as fast as it as there
 * are cores is all that can be had. Overhead is what the children's processes take together to what the one takes, in processor seconds: each starts,
 * and reads code and features. It needs Linux.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { modelKeys } from '../core/keys.ts';
import { environment } from '../core/names.ts';
import { Random } from '../core/random.ts';
import type { TrialResult } from '../core/search/plan.ts';
import type { Job } from '../local/batch/job.ts';
import { type RunningCloud, startCloud } from '../local/start-cloud.ts';
import { synthesize } from '../local/synth.ts';
import { machine, median, type Result } from './alternate.ts';

const rounds = 3;
const children = 8;
const cores = Math.min(children, availableParallelism());
/** One trial a child: a forest on each of as many folds, some seconds each, of which the start of a process is a small part as in the searches that go to Batch. */
const spec = {
  files: ['data.csv'],
  lane: 'cpu',
  folds: children,
  grids: { forest: { nEstimators: [300], maxDepth: [null], minSamplesSplit: [2] } },
};
const rows = 60_000;
const columns = 20;

interface Searched {
  /** From submission to end. */
  seconds: number;
  /** Of the processor, of all workers together. */
  coreSeconds: number;
  scores: string;
}

export default async function search(): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), 'ingot-search-'));
  const running = await startCloud({ assembly: synthesize(), home, port: 0, batch: { vcpus: children } });
  try {
    const job = await firstSearch(running);
    const runs: Record<'one' | 'eight', Searched[]> = { one: [], eight: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [name, size] of [
        ['one', 1],
        ['eight', children],
      ] as const) {
        const searched = await again(running, job, size);
        runs[name].push(searched);
        const { scores, ...figures } = searched;
        console.log(`round ${round + 1}, ${name}: ${JSON.stringify(figures)}`);
      }
    }
    const middle = (name: keyof typeof runs, what: 'seconds' | 'coreSeconds') => median(runs[name].map((each) => each[what]));
    const ratio = middle('one', 'seconds') / middle('eight', 'seconds');
    const [coreSecondsOfOne, coreSecondsOfEight] = [middle('one', 'coreSeconds'), middle('eight', 'coreSeconds')];
    const scores = new Set([...runs.one, ...runs.eight].map((each) => each.scores));
    return {
      bench: 'search',
      ratio,
      ours: middle('eight', 'seconds'),
      rival: middle('one', 'seconds'),
      unit: 's',
      same_work: scores.size === 1,
      cores,
      efficiency: ratio / cores,
      coreSecondsOfOne,
      coreSecondsOfEight,
      overhead: coreSecondsOfEight / coreSecondsOfOne,
      coreSecondsOfAFurtherChild: (coreSecondsOfEight - coreSecondsOfOne) / (children - 1),
      machine: machine(),
    };
  } finally {
    await running.close();
    // The last jobs' events may still be on their way to the disk.
    await new Promise((done) => setTimeout(done, 1000));
    rmSync(home, { recursive: true, force: true });
  }
}

/** Uploads the data and waits for the run's search job to end: its plan and features are what all rounds work on. */
async function firstSearch({ url, outputs, cloud }: RunningCloud): Promise<Job> {
  const client = { endpoint: url, region: 'us-east-1', forcePathStyle: true };
  const s3 = new S3Client({ ...client, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  for (const [name, Body] of Object.entries({ 'data.csv': table(), 'dataset.json': JSON.stringify(spec) }))
    await s3.send(new PutObjectCommand({ Bucket: outputs['DataBucket']!, Key: `raw/searched/${name}`, Body }));
  s3.destroy();
  for (let tries = 0; tries < 600; tries++) {
    const job = cloud.batch.jobs()[0];
    const execution = [...cloud.machines.values()][0]?.list()[0];
    if (job && execution?.status === 'SUCCEEDED') return job;
    if (execution && execution.status !== 'RUNNING' && execution.status !== 'SUCCEEDED')
      throw new Error(`The run failed: ${execution.cause}`);
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error('The run does not end.');
}

/** Forgets the trials and searches anew. */
async function again({ cloud, outputs }: RunningCloud, { spec: first }: Job, size: number): Promise<Searched> {
  const bucket = outputs['ModelBucket']!;
  const variables = first.container.environment.filter(({ name }) => name.startsWith('INGOT_JOB') && name !== environment.jobEvent);
  const event = JSON.parse(first.container.environment.find(({ name }) => name === environment.jobEvent)!.value!) as { run: string };
  const trials = modelKeys.trials(event.run);
  for (const { key } of cloud.s3.list(bucket, trials)) await cloud.s3.delete(bucket, key);
  const before = endedCoreSeconds();
  const began = performance.now();
  const job = await cloud.batch.submit({
    jobName: `search-${size}`,
    jobQueue: first.jobQueue,
    jobDefinition: first.jobDefinition,
    shareIdentifier: first.shareIdentifier,
    containerOverrides: {
      // A container has as many cores as it asks for; a process has them all, unless it is held to one.
      command: ['sh', '-c', `exec taskset -c $(( \${AWS_BATCH_JOB_ARRAY_INDEX:-0} % ${cores} )) "$@"`, 'sh', ...first.container.command],
      environment: [...variables, { name: environment.jobEvent, value: JSON.stringify({ ...event, children: size }) }],
      resourceRequirements: [
        { type: 'VCPU', value: '1' },
        { type: 'MEMORY', value: '2048' },
      ],
    },
    ...(size > 1 && { arrayProperties: { size } }),
  });
  await job.ended;
  const seconds = (performance.now() - began) / 1000;
  const coreSeconds = endedCoreSeconds() - before;
  if (job.state.status !== 'SUCCEEDED') throw new Error(`The search failed: ${job.state.statusReason}`);
  const results: TrialResult[] = [];
  for (const { key } of cloud.s3.list(bucket, trials))
    results.push(JSON.parse((await cloud.s3.get(bucket, key))!.body.toString()) as TrialResult);
  return { seconds, coreSeconds, scores: JSON.stringify(results.map((result) => result.scores)) };
}

/** Processor seconds of the processes that this one has started and that have ended: fields 16 and 17 of proc(5)'s stat, in hundredths. */
function endedCoreSeconds(): number {
  const afterName = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return (Number(afterName[13]) + Number(afterName[14])) / 100;
}

/** Rows whose class hangs on some of their columns, and on chance. */
function table(): string {
  const random = new Random(1);
  const header = [...Array.from({ length: columns }, (_, column) => `c${column}`), 'class'].join(',');
  const lines = Array.from({ length: rows }, () => {
    const values = Array.from({ length: columns }, () => random.uniform());
    const score = values[0]! + values[1]! * values[2]! - values[3]! + 0.3 * random.uniform();
    return [...values.map((value) => value.toFixed(4)), score > 0.4 ? 'yes' : 'no'].join(',');
  });
  return `${[header, ...lines].join('\n')}\n`;
}
