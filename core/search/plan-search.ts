import { familyOf } from '../models/families.ts';
import type { Target } from '../models/model.ts';
import { version } from '../names.ts';
import type { DatasetSpec } from '../spec.ts';
import { foldCount } from './folds.ts';
import { expandGrid } from './grid.ts';
import { metricFor } from './metrics.ts';
import type { Plan } from './plan.ts';

const defaultFamilies = ['forest'] as const;

/**
 * Decides what a run tries: the grid of every family asked for (the spec's values in place of the default ones), one trial a family and fold.
 * @param rows how many rows there are to train on; fewer folds where there are fewer rows than folds
 * @throws IngotError InvalidSpec for a metric of another task, or for parameters that the family does not take
 */
export function planSearch(question: {
  run: string;
  dataset: string;
  revision: string;
  task: Target['task'];
  spec: DatasetSpec;
  rows: number;
}): Plan {
  const { run, dataset, revision, task, spec, rows } = question;
  const names = spec.families ?? defaultFamilies;
  const candidates = names
    .flatMap((name) => {
      const family = familyOf(name);
      const grid = { ...family.grid, ...spec.grids?.[family.name as keyof typeof spec.grids] };
      return expandGrid(grid).map((params) => ({ family: family.name, params: family.parse(params) }));
    })
    .map((candidate, id) => ({ id, ...candidate }));
  const folds = foldCount(spec, rows);
  return {
    run,
    dataset,
    revision,
    version,
    lane: 'lambda',
    task,
    metric: metricFor(task, spec.metric),
    seed: spec.seed ?? 0,
    folds,
    candidates,
    trials: names.flatMap((family) => Array.from({ length: folds }, (_, fold) => ({ id: `${family}-${fold}`, family, fold }))),
  };
}
