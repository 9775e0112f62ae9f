/** Makes a version's explain.bin of its model and the rows that it was fitted on. */
import { drawRows } from '../evaluation/rows.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { transform } from '../features/tabular.ts';
import type { FittedModel } from '../models/model.ts';
import { rawRowsOf } from '../registry/parity.ts';
import type { RowSource } from '../table/stored-table.ts';
import type { ExplainData } from './explain-file.ts';
import { groundOf } from './feature-shap.ts';
import { backgroundRows } from './sampled-shap.ts';

/** Rows that stand for all train rows: those that give a base its value. */
const mostRows = 10_000;
/** Trees × rows that are walked to count: some seconds; but no fewer rows than those. */
const mostWalks = 10_000_000;
const fewestRows = 500;
/** Nodes of trees (17 bytes each, and some tenths of a second a row) beyond which explanations are sampled. */
const mostNodes = 2_000_000;

/** All rows that explanations may be made of, of so many train rows: fewer, drawn by the same seed, are among them. */
export const rowsToExplain = (rows: number, seed: number): Int32Array => drawRows(rows, mostRows, seed);

/**
 * @param train the train rows of the clean table, in the preprocess's columns, some of which are taken
 * @param isOver whether the time is over: explanations are then sampled, which needs nothing but some rows
 */
export async function makeExplainData(
  model: Pick<FittedModel, 'additive'>,
  preprocess: Preprocess,
  train: RowSource,
  seed: number,
  isOver: () => boolean = () => false,
): Promise<ExplainData> {
  const additive = isOver() ? undefined : model.additive?.();
  const parts = additive?.kind === 'sum' ? additive.parts.map(({ part }) => part) : additive ? [additive] : [];
  const nodes = parts.reduce((sum, part) => sum + (part.kind === 'trees' ? part.splits.length : 0), 0);
  if (!additive || nodes > mostNodes)
    return { preprocess, background: rawRowsOf(await train.take(drawRows(train.rows, backgroundRows, seed))) };
  const trees = parts.reduce((sum, part) => sum + (part.kind === 'trees' ? part.roots.length : 0), 0);
  const count = Math.max(fewestRows, Math.min(mostRows, Math.floor(mostWalks / Math.max(1, trees))));
  const features = transform(preprocess, await train.take(drawRows(train.rows, count, seed)));
  return { preprocess, additive, grounds: parts.map((part) => groundOf(part, features)) };
}
