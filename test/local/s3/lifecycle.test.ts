import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { expire, type LifecycleRule } from '../../../local/s3/lifecycle.ts';
import { createUpload } from '../../../local/s3/multipart.ts';
import { Store } from '../../../local/s3/store.ts';
import type { S3ObjectEvent } from '../../../local/s3/types.ts';
import { putObject } from '../../../local/s3/write.ts';
import type { RunningCloud } from '../../../local/start-cloud.ts';
import type { JsonObject } from '../../../local/template/intrinsics.ts';
import { newHome, start } from '../assembly.ts';

const begin = Date.parse('2026-11-25T08:00:00Z');
const at = (date: string) => Date.parse(`${date}Z`);
const rule = (own: Partial<LifecycleRule>): LifecycleRule => ({ prefix: '', tags: {}, markers: false, ...own });

describe('a bucket under lifecycle rules', () => {
  let root: string;
  let store: Store;
  let events: S3ObjectEvent[];

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: begin });
    root = await mkdtemp(join(tmpdir(), 'ingot-lifecycle-'));
    events = [];
    store = await Store.open(root, (event) => events.push(event));
    await store.createBucket('b', 'Enabled');
  });

  afterEach(async () => {
    vi.useRealTimers();
    await store.close();
    await rm(root, { recursive: true });
  });

  async function put(key: string, { body = 'x', tags = {} }: { body?: string; tags?: Record<string, string> } = {}): Promise<void> {
    async function* stream() {
      yield Buffer.from(body);
    }
    await putObject(store, 'b', key, { stream: stream() }, { tags });
  }
  const current = () => [...store.bucket('b').objects.keys()].filter((key) => store.current(store.bucket('b'), key));
  const versions = (key: string) => store.bucket('b').objects.get(key)?.length ?? 0;

  test('loses what is under the prefix, has the tag or the size, at the midnight after its days, by a marker', async () => {
    await put('checkpoints/a');
    await put('runs/a');
    await put('runs/tagged', { tags: { keep: 'no' } });
    await put('runs/large', { body: 'x'.repeat(100) });
    const rules = [
      rule({ prefix: 'checkpoints/', days: 7 }),
      rule({ tags: { keep: 'no' }, days: 8 }),
      rule({ prefix: 'runs/', largerThan: 99, from: at('2026-12-05T00:00:00') }),
    ];
    expect(await expire(store, 'b', rules, at('2026-12-02T23:59:59'))).toBe(0);
    expect(await expire(store, 'b', rules, at('2026-12-03T00:00:00'))).toBe(1);
    expect(current()).toEqual(['runs/a', 'runs/tagged', 'runs/large']);
    expect(await expire(store, 'b', rules, at('2026-12-04T00:00:00'))).toBe(1);
    expect(await expire(store, 'b', rules, at('2026-12-05T00:00:00'))).toBe(1);
    expect(await expire(store, 'b', rules, at('2036-12-05T00:00:00'))).toBe(0);
    expect(current()).toEqual(['runs/a']);
    expect(versions('checkpoints/a')).toBe(2);
    await new Promise(setImmediate);
    // Functions that wait for objects to be removed by somebody are not told.
    expect(events.map(({ eventName }) => eventName).slice(-3)).toEqual(Array(3).fill('LifecycleExpiration:DeleteMarkerCreated'));
  });

  test('loses replaced versions after their days, but for the newest that it is to keep, and markers that are left alone', async () => {
    for (const body of ['1', '2', '3']) await put('a', { body });
    await put('gone');
    await store.deleteVersion('b', 'gone');
    const rules = [rule({ noncurrent: { days: 30, keep: 1 }, markers: true })];
    expect(await expire(store, 'b', rules, at('2026-12-25T23:00:00'))).toBe(0);
    expect(await expire(store, 'b', rules, at('2026-12-26T00:00:00'))).toBe(1);
    expect([versions('a'), versions('gone')]).toEqual([2, 2]);
    const all = [rule({ noncurrent: { days: 30, keep: 0 }, markers: true })];
    expect(await expire(store, 'b', all, at('2026-12-26T00:00:00'))).toBe(2);
    expect(await expire(store, 'b', all, at('2026-12-26T00:00:00'))).toBe(1);
    expect([versions('a'), versions('gone'), current()]).toEqual([1, 0, ['a']]);
  });

  test('loses uploads that are not finished', async () => {
    await createUpload(store, 'b', { key: 'a', headers: {}, metadata: {} });
    const rules = [rule({ uploadDays: 7 })];
    expect(await expire(store, 'b', rules, at('2026-12-02T23:59:59'))).toBe(0);
    expect(await expire(store, 'b', rules, at('2026-12-03T00:00:00'))).toBe(1);
    expect(store.bucket('b').uploads.size).toBe(0);
  });

  test('loses nothing twice, whoever is at it at the same time', async () => {
    await put('a');
    const both = await Promise.all([1, 2].map(() => expire(store, 'b', [rule({ days: 1 })], at('2026-11-27T00:00:00'))));
    expect(both.sort()).toEqual([0, 1]);
    expect(versions('a')).toBe(2);
  });
});

const bucket = (Rules: JsonObject[]) => ({
  Resources: { Models: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'models', LifecycleConfiguration: { Rules } } } },
});

test('the laptop cloud does what the rules of its template say, at the start and every hour', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: begin });
  try {
    const home = newHome();
    const template = bucket([
      { Status: 'Enabled', Prefix: 'checkpoints/', ExpirationInDays: 7 },
      { Status: 'Disabled', Prefix: 'runs/', ExpirationInDays: 1 },
    ]);
    const keys = ({ cloud }: RunningCloud) => cloud.s3.list('models').map(({ key }) => key);
    const first = await start(template, {}, home);
    for (const key of ['checkpoints/1', 'runs/1']) await first.cloud.s3.put('models', key, 'x');
    await first.close();
    vi.setSystemTime(at('2026-12-01T08:00:00'));
    const second = await start(template, {}, home);
    await second.cloud.s3.put('models', 'checkpoints/2', 'x');
    await second.close();
    vi.setSystemTime(at('2026-12-03T08:00:00'));
    const third = await start(template, {}, home);
    await expect.poll(() => keys(third)).toEqual(['checkpoints/2', 'runs/1']);
    vi.setSystemTime(at('2026-12-09T08:00:00'));
    vi.advanceTimersByTime(3600_000);
    await expect.poll(() => keys(third)).toEqual(['runs/1']);
    await third.close();
  } finally {
    vi.useRealTimers();
  }
});

test('a rule that the laptop cloud does not know is an error at the start', async () => {
  const moving = bucket([{ Status: 'Enabled', Transitions: [{ StorageClass: 'GLACIER', TransitionInDays: 1 }] }]);
  await expect(start(moving, {})).rejects.toThrow('The laptop cloud cannot create Models: a lifecycle rule has Transitions');
});
