/** `clean/<dataset>/<revision>/suspicious-labels.json` and `.csv`: rows that are likely mislabelled, as rows of the user's files. */
import { join } from 'node:path';
import { wideOf } from '../../core/features/layout.ts';
import { takeTarget } from '../../core/features/split.ts';
import { transform } from '../../core/features/tabular.ts';
import { dataKeys } from '../../core/keys.ts';
import { type ObjectStore, putJson } from '../../core/object-store.ts';
import type { DoubtedLabels } from '../../core/registry/datasets.ts';
import type { RevisionOrigin } from '../../core/registry/identity.ts';
import { findSuspiciousLabels, rowsToDoubt } from '../../core/search/suspicious-labels.ts';
import { formatRecord } from '../../core/table/csv-records.ts';
import { rowsInFiles } from '../../core/table/left-out-rows.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { readTableTarget, storedTable } from './features.ts';
import { needJson, once } from './objects.ts';
import { readPreprocess } from './preprocess.ts';
import { withScratch } from './scratch.ts';

/** The file lists so many, the summary that the API gives fewer. */
const mostListed = 1000;
const mostShown = 20;

/** Told where there was no time to look for them: the machine that they are looked for on is the run's own, on a laptop. */
export const withoutLabels = 'Labels that are likely wrong were not looked for';

export async function listSuspiciousLabels(dataset: string, revision: string, data: ObjectStore): Promise<void> {
  if (await data.head(dataKeys.suspiciousLabels(dataset, revision))) return;
  const [report, { spec }, preprocess] = await Promise.all([
    needJson<CleanReport>(data, dataKeys.report(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    readPreprocess(data, dataset, revision),
  ]);
  const { task, classes = [] } = report;
  if (task !== 'classification' || preprocess.leftOut?.some((sentence) => sentence.startsWith(withoutLabels))) return;
  await withScratch(async (directory) => {
    const [table, leftOut] = [join(directory, 'table.parquet'), join(directory, 'left-out.parquet')];
    await data.download(dataKeys.table(dataset, revision), table);
    const isShorter = await data.download(dataKeys.leftOut(dataset, revision), leftOut);
    const rows = rowsToDoubt(report.rows.kept, preprocess.features.length + 2 * classes.length, spec.seed ?? 0);
    if (rows.length === 0) return;
    const columns = preprocess.columns.map(({ name }) => name);
    const frame = await storedTable(table, report, columns, wideOf(preprocess)).take(rows);
    const target = takeTarget(await readTableTarget(table, report), rows);
    if (target.task !== 'classification') return;
    // One worker: the run that has just been started needs the others more.
    const context = { seed: spec.seed ?? 0, workers: 1 };
    const { labels, of } = await findSuspiciousLabels(transform(preprocess, frame), target, rows, context);
    const listed = labels.slice(0, mostListed);
    const numbers = await rowsInFiles(
      isShorter ? leftOut : undefined,
      Int32Array.from(listed, ({ row }) => row),
    );
    const named = listed.map(({ given, suggested, confidence }, place) => ({
      row: numbers[place]!,
      given: classes[given]!,
      suggested: classes[suggested]!,
      confidence: Math.round(confidence * 1e4) / 1e4,
    }));
    const lines = [['row', 'given', 'suggested', 'confidence'], ...named.map((label) => Object.values(label).map(String))];
    await data.put(dataKeys.suspiciousLabelsFile(dataset, revision), lines.map((line) => `${formatRecord(line)}\n`).join(''), {
      contentType: 'text/csv; charset=utf-8',
    });
    const summary: DoubtedLabels = { count: labels.length, of, rows: named.slice(0, mostShown) };
    await putJson(data, dataKeys.suspiciousLabels(dataset, revision), summary, once);
  });
}
