/** The features of a table of which not all is in memory at a time: fitted some columns at a time, and made some rows at a time. */
import type { Matrix } from '../models/model.ts';
import type { Frame } from '../table/frame.ts';
import type { CleanReport } from '../table/report.ts';
import type { RowSource, StoredTable } from '../table/stored-table.ts';
import { derive } from './derivations.ts';
import { RowHashes } from './equal-rows.ts';
import { type FitContext, fitColumn } from './fit-columns.ts';
import type { Cross, FittedCross } from './fitted-cross.ts';
import type { FittedColumn, Preprocess } from './preprocess.ts';
import { takeRows } from './split.ts';
import { fitCrossOn, preprocessOf, transformWith, withFittedCrosses } from './tabular.ts';
import type { Learning } from './target-encoding.ts';

export interface Sides {
  train: Int32Array;
  test: Int32Array;
}

export interface FittedTable {
  preprocess: Preprocess;
  /** Of the columns that are fitted on the target: the numbers of the train rows, out of fold. */
  outOfFold: Map<string, Float32Array[]>;
}

/** Rows that are equal in all features. */
export async function equalRowsOf(table: StoredTable) {
  const hashes = new RowHashes(table.rows);
  for await (const { columns } of table.columns()) for (const column of columns) hashes.add(column);
  return hashes.equalRows();
}

/** The same as `fit` of tabular.ts. @param table in the report's feature columns; @param hasTimeForRuns see fit-columns.ts, asked for each text */
export async function fitTable(
  table: StoredTable,
  report: CleanReport,
  rows: Sides,
  learning: Learning,
  hasTimeForRuns?: (column: string) => boolean,
): Promise<FittedTable> {
  const reports = report.columns.filter(({ role }) => role === 'feature');
  const columns: FittedColumn[] = [];
  const outOfFold: FittedTable['outOfFold'] = new Map();
  for await (const frame of table.columns(reports.map(({ name }) => name))) {
    for (const column of frame.columns) {
      const [train] = takeRows({ ...frame, columns: [column] }, rows.train).columns;
      const context: FitContext = {
        keep: (numbers) => outOfFold.set(column.name, numbers),
        ...(hasTimeForRuns && { hasTimeForRuns: () => hasTimeForRuns(column.name) }),
      };
      columns.push(fitColumn(train!, reports[columns.length]!, report.classes, learning, context));
    }
  }
  return { preprocess: preprocessOf(report, columns, { train: rows.train.length, test: rows.test.length }, learning), outOfFold };
}

/** The preprocessing with crosses, each fitted by itself. @param train the train rows of the table */
export async function crossTable(
  table: StoredTable,
  preprocess: Preprocess,
  crosses: readonly Cross[],
  train: Int32Array,
): Promise<Preprocess> {
  if (crosses.length === 0) return preprocess;
  const fitted: FittedCross[] = [];
  for (const cross of crosses) {
    const names = [...new Set([cross.a, cross.b])].map((column) => preprocess.columns[column]!.name);
    fitted.push(fitCrossOn(cross, preprocess, await table.take(train, names)));
  }
  return withFittedCrosses(preprocess, fitted);
}

/** Of so many rows those that were taken, at ascending places: from which others take some. */
export function takenRows(frame: Frame, places: Int32Array, rows: number): RowSource {
  const at = new Map(Array.from(places, (place, i) => [place, i]));
  return {
    rows,
    take: (wanted) =>
      takeRows(
        frame,
        Int32Array.from(wanted, (place) => at.get(place)!),
      ),
  };
}

/** Given rows of a table, from which others take some by their places. */
export const rowsIn = (table: StoredTable, rows: Int32Array): RowSource => ({
  rows: rows.length,
  take: (places) => table.take(Int32Array.from(places, (place) => rows[place]!)),
});

/** @param write gets each part of a side's features, in order, and the places [from, to) of its rows among the side's */
export function transformTable(
  table: StoredTable,
  { preprocess, outOfFold }: FittedTable,
  rows: Sides,
  write: (side: keyof Sides, x: Matrix, from: number, to: number) => Promise<void>,
): Promise<void> {
  const done = { train: 0, test: 0 };
  return table.parts(preprocess.features.length, async (part, first) => {
    for (const side of ['train', 'test'] as const) {
      const from = done[side];
      let to = from;
      while (to < rows[side].length && rows[side][to]! < first + part.rows) to++;
      if (to === from) continue;
      const frame = takeRows(
        part,
        rows[side].subarray(from, to).map((row) => row - first),
      );
      const x = transformWith(preprocess, frame, (fitted, column) => {
        const own = side === 'train' ? outOfFold.get(fitted.name) : undefined;
        return own?.map((numbers) => numbers.subarray(from, to)) ?? derive(fitted, column);
      });
      await write(side, x, from, to);
      done[side] = to;
    }
  });
}
