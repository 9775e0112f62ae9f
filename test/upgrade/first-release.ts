/**
 * What the first release (25c19f4, of 25 November 2026) left behind. `first-release.tar.br` holds its laptop's home (`s3`, both buckets with their versions, and
 * `states`, its executions) and what it answered then. It was made by its own `npm start`, over S3 and HTTP alone:
 *
 * - `cells`: the first 100 rows of examples/breast-cancer; a small grid of forests;
 * - `prices`: 120 rows of dates, categories, booleans, gaps and a number to learn; version 1 of lines, version 2 of a forest by another dataset.json. `live` was
 *   rolled back to 1, `next` was put on 2;
 * - `empty`: a header without rows, which was rejected; `failed`: a run whose dataset.json asks for a metric of another task;
 * - `halfway`: a run of which some trials were done when the process was killed.
 *
 * It is in buckets that people have, so it never changes.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { createS3 } from '../../local/s3/s3.ts';

/** A request, by its path: a GET, or what was posted; and the answer to it. */
export type Asked = Record<string, { type?: string; body?: string; status: number; answer: unknown }>;

/** @returns a home of its own, which a laptop can be started in, and what was answered */
export function firstRelease(): { home: string; answers: Asked } {
  const home = mkdtempSync(join(tmpdir(), 'ingot-first-release-'));
  execFileSync('tar', ['-xf', '-', '-C', home], {
    input: brotliDecompressSync(readFileSync(new URL('first-release.tar.br', import.meta.url))),
  });
  return { home, answers: JSON.parse(readFileSync(join(home, 'answers.json'), 'utf8')) as Asked };
}

export interface LeftObject {
  bucket: 'DataBucket' | 'ModelBucket';
  key: string;
  body: Buffer;
}

/** The newest versions of all objects in a home that no laptop has open, in the order in which they were written. */
export async function objectsIn(home: string): Promise<LeftObject[]> {
  const s3 = await createS3({ root: join(home, 's3') });
  const objects = s3.buckets().flatMap(({ name }) => s3.list(name).map(({ key, lastModified }) => ({ name, key, lastModified })));
  const sorted = objects.toSorted((a, b) => Number(a.lastModified) - Number(b.lastModified));
  const read = sorted.map(async ({ name, key }) => {
    const bucket = name.includes('model') ? ('ModelBucket' as const) : ('DataBucket' as const);
    return { bucket, key, body: (await s3.get(name, key))!.body };
  });
  const found = await Promise.all(read);
  await s3.close();
  return found;
}
