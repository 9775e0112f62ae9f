/** Whatever is put, copied, deleted and restarted: lists and reads are those of a plain map. */
import { GetObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SortedKeys } from '../../../local/s3/key-order.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;
let client: S3Client;
let buckets = 0;
beforeAll(async () => {
  server = await startServer();
  client = server.client();
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

const key = fc.string({
  unit: fc.constantFrom('a', 'B', 'b', '/', '.', ' ', '+', '%', '&', '\u{1f600}', '\uffee'),
  minLength: 1,
  maxLength: 4,
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), key, body: fc.string({ maxLength: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
const question = fc.record({
  prefix: fc.oneof(fc.constant(''), key),
  delimiter: fc.constantFrom('', '/', 'a', '//'),
  pageSize: fc.integer({ min: 1, max: 5 }),
});

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What S3's documentation says a list is, written without regard to speed. */
function expectedList(keys: string[], prefix: string, delimiter: string): string[] {
  const shown = keys
    .filter((name) => name.startsWith(prefix))
    .map((name) => {
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      return end < 0 ? `key ${name}` : `folder ${name.slice(0, end + delimiter.length)}`;
    });
  return [...new Set(shown)].sort();
}

async function listed(Bucket: string, prefix: string, delimiter: string, pageSize: number): Promise<string[]> {
  const found: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: prefix,
        MaxKeys: pageSize,
        ContinuationToken,
        ...(delimiter && { Delimiter: delimiter }),
      }),
    );
    const keys = (page.Contents ?? []).map(({ Key }) => Key!);
    expect(keys).toEqual(keys.toSorted(byBytes));
    found.push(...keys.map((name) => `key ${name}`), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => `folder ${Prefix}`));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  expect(new Set(found).size).toBe(found.length);
  return found.sort();
}

it.each([false, true])('a bucket (versioned: %s) is a map of keys to bodies', async (versioned) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(question, { minLength: 1, maxLength: 3 }), async (steps, questions) => {
      const Bucket = `model-${++buckets}`;
      await server.s3.createBucket(Bucket, { versioned });
      const model = new Map<string, string>();
      let writes = 0;
      for (const it of steps) {
        if (it.do === 'put') {
          await server.s3.put(Bucket, it.key, it.body);
          model.set(it.key, it.body);
          writes++;
        } else if (it.do === 'delete') {
          await server.s3.delete(Bucket, it.key);
          model.delete(it.key);
          writes++;
        } else await server.restart();
      }
      for (const { prefix, delimiter, pageSize } of questions) {
        expect(await listed(Bucket, prefix, delimiter, pageSize)).toEqual(expectedList([...model.keys()], prefix, delimiter));
      }
      for (const [Key, body] of model) {
        expect(await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()).toBe(body);
      }
      const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
      expect(Versions.length + DeleteMarkers.length).toBe(versioned ? writes : model.size);
    }),
    { numRuns: 25, seed: 5 },
  );
});

it('keys are kept in the order of their UTF-8 bytes', () => {
  const any = fc.string({ unit: 'binary', maxLength: 5 });
  fc.assert(
    fc.property(fc.array(any), fc.array(any), any, (added, removed, prefix) => {
      const sorted = new SortedKeys();
      for (const name of added) sorted.add(name);
      for (const name of removed) sorted.remove(name);
      const gone = new Set(removed);
      const expected = [...new Set(added)].filter((name) => !gone.has(name)).sort(byBytes);
      expect([...sorted.under('')]).toEqual(expected);
      expect([...new SortedKeys(expected.toReversed()).under('')]).toEqual(expected);
      const under = expected.filter((name) => name.startsWith(prefix));
      expect([...sorted.under(prefix)]).toEqual(under);
      expect(sorted.keyAt(sorted.seekPast(prefix))).toBe(expected.find((name) => byBytes(name, prefix) > 0 && !name.startsWith(prefix)));
    }),
  );
});

it('many keys too, over all borders of chunks', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `${(i * 7919) % 10_000}`);
  const sorted = new SortedKeys();
  for (const name of names) sorted.add(name);
  expect([...sorted.under('')]).toEqual(names.toSorted(byBytes));
  for (const name of names) if (!name.startsWith('5')) sorted.remove(name);
  expect([...sorted.under('')]).toEqual(names.filter((name) => name.startsWith('5')).sort(byBytes));
});
