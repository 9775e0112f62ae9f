/**
 * Names that are hashes of what they name: the same upload makes the same revision, the same revision and plan make the same run,
 * and the second attempt finds the work of the first.
 */
import { createHash } from 'node:crypto';
import type { DatasetSpec } from '../spec.ts';
import type { DataSource } from './datasets.ts';

/** `clean/<dataset>/<revision>/origin.json`: what a revision was made of. */
export interface RevisionOrigin {
  dataset: string;
  revision: string;
  spec: DatasetSpec;
  files: { name: string; sha256: string; bytes: number }[];
  source: DataSource;
}

/** JSON with the keys of every object in order, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/**
 * Sixteen hexadecimal digits. The files' names count (their endings say the format), their order does too (rows follow it);
 * the spec's `$schema` does not.
 */
export function revisionOf(files: { name: string; sha256: string }[], spec: DatasetSpec, version: string): string {
  const { $schema: _, ...said } = spec;
  const content = files.map(({ name, sha256 }) => ({ name, sha256 }));
  return createHash('sha256')
    .update(canonicalJson({ content, spec: said, version }))
    .digest('hex')
    .slice(0, 16);
}

/**
 * The id of a run and the name of its execution: the dataset's name made safe, a hyphen and twelve hexadecimal digits, at most 76 of
 * the 80 characters that Step Functions takes. What the plan is made of (spec, seed, grids) is in the revision already.
 */
export function runOf(dataset: string, revision: string, version: string): string {
  const hash = createHash('sha256').update(canonicalJson({ dataset, revision, version })).digest('hex').slice(0, 12);
  return `${dataset.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 63)}-${hash}`;
}
