/** Cleans tables that a test writes down. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetSpec } from '../../core/spec.ts';
import { cleanTable } from '../../core/table/clean.ts';
import { literal, rowsOf, withDatabase } from '../../core/table/database.ts';
import type { CleanReport } from '../../core/table/report.ts';

export interface Cleaned {
  report: CleanReport;
  names: string[];
  /** Rows of table.parquet. */
  rows: unknown[][];
  table: Buffer;
  /** rejects.csv. */
  rejects: string;
}

/** Writes the files, cleans them, and reads back what came of it. A file's content is text (UTF-8) or bytes; from `scanFrom` bytes on a plain one is scanned. */
export async function clean(
  files: Record<string, string | Uint8Array>,
  spec: DatasetSpec = {},
  threads = 2,
  scanFrom?: number,
  isHurried = false,
): Promise<Cleaned> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-clean-'));
  try {
    const sources = Object.entries(files).map(([name, content], index) => {
      const path = join(directory, `source-${index}`);
      writeFileSync(path, content);
      return { name, path };
    });
    const report = await cleanTable({
      dataset: 'd',
      revision: 'r',
      files: sources,
      spec,
      directory,
      threads,
      ...(scanFrom !== undefined && { scanFrom }),
      isHurried: () => isHurried,
      secret: async () => Buffer.from('secret'),
    });
    const table = join(directory, 'table.parquet');
    return await withDatabase({ threads: 1 }, async (database) => ({
      report,
      names: (await rowsOf(database, `DESCRIBE FROM read_parquet(${literal(table)})`)).map(([name]) => String(name)),
      rows: await rowsOf(database, `FROM read_parquet(${literal(table)})`),
      table: readFileSync(table),
      rejects: readFileSync(join(directory, 'rejects.csv'), 'utf8'),
    }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const column = (report: CleanReport, name: string) => report.columns.find((candidate) => candidate.name === name)!;

/** Whether every row that was read is accounted for. */
export const isBalanced = ({ rows }: CleanReport) => rows.read === rows.kept + rows.rejected + rows.duplicates + rows.missingTarget;
