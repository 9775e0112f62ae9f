/** The files of a dataset as one view of raw text, staged, and what each of its columns holds. */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { DatasetSpec } from '../spec.ts';
import { specOf } from './columns.ts';
import { type Guess, guess, type Look, look, mostValues } from './look.ts';
import type { Rejects } from './rejects.ts';
import type { Change } from './report-columns.ts';
import { looksOf } from './scan/looks.ts';
import { scan } from './scan/scan.ts';
import { openSource, type Source } from './source.ts';
import { blockColumns, openStage, type Stage, stageRaw } from './stage.ts';
import type { Inferred } from './target.ts';
import { uniqueNames } from './unique-names.ts';

export interface RawInput {
  files: { name: string; path: string }[];
  spec: DatasetSpec;
  memoryLimit?: string;
  threads?: number;
  /** Bytes from which on a plain file is scanned rather than read by SQL. */
  scanFrom?: number;
}

export interface Raw {
  sources: Source[];
  names: string[];
  changes: Change[];
  inferred: Inferred[];
  stage: Stage;
  looks: Look[];
  guesses: Guess[];
}

/** Opens the files, makes them the view `raw`, stages it and looks at every cell; files that DuckDB can't read as they stand are repaired first. */
export async function readRaw(
  database: DuckDBConnection,
  input: RawInput,
  work: string,
  rejects: Rejects,
  missing: Set<string>,
): Promise<Raw> {
  let sources: Source[] = [];
  for (const [index, file] of input.files.entries()) {
    sources.push(await openSource(database, { ...file, directory: work, index, spec: input.spec, rejects }));
  }
  const width = Math.max(0, ...sources.map(({ names }) => names.length));
  if (width > blockColumns) {
    // The last query, which writes the whole table, has a few chunks of 2,048 rows of 16 bytes a column at a time.
    if (input.memoryLimit === undefined) await database.run(`SET memory_limit = '${320 + Math.ceil(width * 0.12)}MB'`);
    // A query holds a few chunks of each of its columns for each thread.
    await database.run('SET threads = 1');
    // Looking for common subexpressions is quadratic in columns.
    await database.run("SET disabled_optimizers = 'common_subexpressions'");
  }
  const repairable = () => sources.some(({ repair }) => repair !== undefined);
  for (;;) {
    const { names, changes } = await createRaw(database, sources);
    try {
      const guesses = await guess(database, names, missing, (name) => specOf(input.spec, name));
      const forms = guesses.map(({ form }, index) => {
        const { type = 'number' } = specOf(input.spec, names[index]!);
        return type === 'number' || form.as !== 'number' ? form : { as: 'values' as const };
      });
      const stage = openStage(work, forms);
      const looks = (await scanText(sources, stage, missing, input)) ?? (await stageText(database, stage, missing));
      const rows = looks[0]?.rows ?? 0;
      if (!repairable() || (rows > 0 && !looks.some(({ suspicious }) => suspicious) && !mayRepeatHeader(looks, names))) {
        if (rows === 0) throw noRows(input);
        const inferred = sources.flatMap(({ file }) => inferredOf(file));
        return {
          sources,
          names,
          changes: changes.map((change) => ({ ...change, count: rows })),
          inferred,
          stage,
          looks,
          guesses,
        };
      }
    } catch (cause) {
      if (cause instanceof IngotError) throw cause;
      if (!repairable()) {
        throw new IngotError('UnreadableDataset', `${namesOf(input)} cannot be read: ${(cause as Error).message.split('\n')[0]}`, {
          where: namesOf(input),
          fix: 'Write the file again and upload it whole.',
          cause,
        });
      }
    }
    const repaired: Source[] = [];
    for (const source of sources) repaired.push(source.repair === undefined ? source : await source.repair());
    sources = repaired;
  }
}

/** Whether each column that has few values, or strays, has its own name among them, as where files were joined with their headers. */
function mayRepeatHeader(looks: readonly Look[], names: readonly string[]): boolean {
  const counted = looks.flatMap(({ counts }, index) => (counts.size > 0 ? [counts.has(names[index]!)] : []));
  return counted.length > 0 && !counted.includes(false);
}

/** Stages a single large file, and looks at it, by a scan. @returns undefined where it is not plain enough for that */
async function scanText(sources: Source[], stage: Stage, missing: ReadonlySet<string>, input: RawInput): Promise<Look[] | undefined> {
  const { forms, blocks } = stage;
  const text = sources.length === 1 ? sources[0]!.text : undefined;
  const isPlain = forms.every((form) => form.as === 'values' || form.as === 'date' || (form.as === 'number' && form.written === undefined));
  if (text === undefined || !isPlain || forms.length !== text.width || forms.length > widestScan) return undefined;
  if ((await stat(text.path)).size < (input.scanFrom ?? scanFrom)) return undefined;
  const scanned = await scan(text, {
    isNumber: forms.map(({ as }) => as === 'number'),
    mostValues,
    missing,
    threads: input.threads ?? availableParallelism(),
    stage: blocks[0]!.path,
  });
  if (scanned === undefined) return undefined;
  if (scanned.hashes) stage.hashes = scanned.hashes;
  return looksOf(scanned, forms);
}

async function stageText(database: DuckDBConnection, stage: Stage, missing: Set<string>): Promise<Look[]> {
  await stageRaw(database, stage);
  return [...(await look(database, stage, [...stage.forms.keys()], stage.forms, missing)).values()];
}

/** Smaller files are read before threads have started. */
const scanFrom = 16_000_000;
/** Row groups of wider tables would be made of many small pages. */
const widestScan = 200;

export const namesOf = ({ files }: Pick<RawInput, 'files'>) => files.map(({ name }) => name).join(', ');

const noRows = (input: RawInput) =>
  new IngotError('EmptyDataset', `${namesOf(input)} has a header and no rows.`, {
    where: namesOf(input),
    fix: 'Upload a file with a row for each example.',
  });

function inferredOf({ name, format, compression, encoding, delimiter, header }: Source['file']): Inferred[] {
  const details = [
    ...(delimiter === undefined ? [] : [`delimiter ${JSON.stringify(delimiter)}`]),
    ...(encoding === undefined ? [] : [encoding]),
    ...(header === undefined ? [] : [header ? 'first row names the columns' : 'no header']),
    ...(compression === 'gzip' ? ['gzip'] : []),
  ];
  return [{ what: `format of ${name}`, value: [format, ...details].join(', '), why: 'its content says so' }];
}

/** The view `raw` with columns c0, c1 …: the files one after the other, columns matched by name. */
async function createRaw(database: DuckDBConnection, sources: Source[]): Promise<{ names: string[]; changes: Omit<Change, 'count'>[] }> {
  const named = sources.map(({ names }) => uniqueNames(names));
  const places = new Map<string, { index: number; name: string }>();
  const inOrder = named.flatMap(({ names }, source) => sources[source]!.order?.map((place) => names[place]!) ?? names);
  for (const name of inOrder) {
    if (!places.has(name.toLowerCase())) places.set(name.toLowerCase(), { index: places.size, name });
  }
  const selects = sources.map(({ sql }, source) => {
    const own = new Map(named[source]!.names.map((name, index) => [name.toLowerCase(), index]));
    const items = [...places.keys()].map((name, index) => `${own.has(name) ? `f${own.get(name)}` : 'NULL::VARCHAR'} AS c${index}`);
    return `SELECT ${items.join(', ')} FROM ${sql} AS t(${named[source]!.names.map((_, index) => `f${index}`).join(', ')})`;
  });
  await database.run(`CREATE OR REPLACE TEMP VIEW raw AS ${selects.join(' UNION ALL ')}`);
  return { names: [...places.values()].map(({ name }) => name), changes: named.flatMap(({ changes }) => changes) };
}
