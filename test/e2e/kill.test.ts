import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { loadModel } from '../../core/serving/session.ts';
import { uploadToBatch } from './batch.ts';
import { Laptop, little } from './laptop.ts';

/** Moments of a run at which a process is killed; `INGOT_KILLS=50 npx vitest run test/e2e/kill.test.ts` is the whole test. */
const kills = Number(process.env['INGOT_KILLS'] ?? 6);
const seed = Number(process.env['INGOT_KILL_SEED'] ?? 20261124);
const csv = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'));

test(`killed at ${kills} random moments of a run, it ends in a finished run, or a clear failed one, and nothing acknowledged is lost`, {
  timeout: 120_000 + kills * 60_000,
}, async () => {
  const random = new Random(seed);
  let laptop = await Laptop.start();
  const ended: Record<string, number> = {};
  const graphs = new Map<string, Uint8Array>();
  try {
    for (let i = 0; i < kills; i++) {
      const dataset = `killed-${i}`;
      const key = `raw/${dataset}/data.csv`;
      // Every other one goes through jobs.
      if (i % 2 === 1) await uploadToBatch(laptop, dataset, csv, little);
      else {
        await laptop.searchLittle(dataset);
        await laptop.s3.send(new PutObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: key, Body: csv }));
      }
      await sleep(random.below(5000));
      const children = childrenOf(laptop.pid);
      const victim = children.length && random.below(3) === 0 ? children[random.below(children.length)]! : laptop.pid;
      process.kill(victim, 'SIGKILL');
      if (victim === laptop.pid) {
        const { home, port } = laptop;
        await laptop.stop('SIGKILL');
        laptop = await Laptop.start({ home, port });
      }
      const run = await laptop.finished(dataset);
      ended[run.status] = (ended[run.status] ?? 0) + 1;
      if (run.status !== 'SUCCEEDED') expect(run.error?.message, `${dataset} failed without a reason`).toBeTruthy();
      const kept = await laptop.s3.send(new GetObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: key }));
      expect(Buffer.compare(await kept.Body!.transformToByteArray(), csv)).toBe(0);
      if (run.status === 'SUCCEEDED') graphs.set(dataset, await expectWhole(laptop, dataset));
    }
    // Killing costs time, not results: retries bring nearly every run to its end.
    expect(ended['SUCCEEDED'] ?? 0).toBeGreaterThanOrEqual(Math.ceil(kills * 0.9));
  } finally {
    await laptop.stop();
  }

  // A disturbed run's model has the bytes of an undisturbed one's, made in another home.
  const [dataset, disturbed] = [...graphs][0]!;
  const calm = await Laptop.start();
  try {
    await calm.searchLittle(dataset);
    await calm.s3.send(new PutObjectCommand({ Bucket: calm.outputs.DataBucket, Key: `raw/${dataset}/data.csv`, Body: csv }));
    await calm.finished(dataset);
    expect(Buffer.compare(await expectWhole(calm, dataset), disturbed)).toBe(0);
  } finally {
    await calm.stop();
  }
});

/** One version, its files whole and loadable, and the alias on it. @returns the graph */
async function expectWhole(laptop: Laptop, model: string): Promise<Uint8Array> {
  const found = await laptop.get<{ versions: { version: number }[]; aliases: { live: { version: number } } }>(`models/${model}`);
  expect(found.versions.map((each) => each.version)).toEqual([1]);
  expect(found.aliases.live.version).toBe(1);
  const listed = await laptop.s3.send(
    new ListObjectsV2Command({ Bucket: laptop.outputs.ModelBucket, Prefix: `models/${model}/versions/` }),
  );
  const names = listed.Contents!.map((each) => each.Key!.split('/').pop());
  expect(names).toEqual(expect.arrayContaining(['card.json', 'model.onnx']));
  const object = await laptop.s3.send(
    new GetObjectCommand({ Bucket: laptop.outputs.ModelBucket, Key: `models/${model}/versions/1/model.onnx` }),
  );
  const bytes = await object.Body!.transformToByteArray();
  await loadModel(bytes);
  return bytes;
}

/** Direct children, as Linux lists them. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}
