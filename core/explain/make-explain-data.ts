/** Makes a version's explain.bin of its model and the rows that it was fitted on. */
import { drawRows } from '../evaluation/rows.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { transform } from '../features/tabular.ts';
import type { FittedModel } from '../models/model.ts';
import { applyView } from '../models/view/view.ts';
import { rawRowsOf } from '../registry/parity.ts';
import type { RowSource } from '../table/stored-table.ts';
import type { AdditiveTrees } from './additive.ts';
import type { ExplainData } from './explain-file.ts';
import { meansOf } from './linear-shap.ts';
import { backgroundRows } from './sampled-shap.ts';
import { groundOf } from './sum-shap.ts';
import { countCovers } from './tree-shap.ts';

/** Rows that stand for all train rows: those that give a base its value. */
const mostRows = 10_000;
/** Trees × rows that are walked to count: some seconds; but no fewer rows than those. */
const mostWalks = 10_000_000;
const fewestRows = 500;
/** Nodes of trees (17 bytes each, and some tenths of a second a row) beyond which explanations are sampled. */
const mostNodes = 2_000_000;

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
  const count = (of: (part: AdditiveTrees) => number) => parts.reduce((sum, part) => sum + (part.kind === 'trees' ? of(part) : 0), 0);
  if (!additive || count(({ splits }) => splits.length) > mostNodes) {
    return { preprocess, background: rawRowsOf(await train.take(drawRows(train.rows, backgroundRows, seed))) };
  }
  const trees = count(({ roots }) => roots.length);
  const rows = Math.max(fewestRows, Math.min(mostRows, Math.floor(mostWalks / Math.max(1, trees))));
  const features = transform(preprocess, await train.take(drawRows(train.rows, rows, seed)));
  if (additive.kind === 'sum') return { preprocess, additive, grounds: parts.map((part) => groundOf(part, features)) };
  const x = additive.view ? applyView(additive.view, features) : features;
  return additive.kind === 'trees'
    ? { preprocess, additive, covers: countCovers(additive, x) }
    : { preprocess, additive, means: meansOf(additive, x) };
}
