import { IngotError } from '../errors.ts';
import { parseClassWeights } from '../models/class-weights.ts';
import { familyOf } from '../models/families.ts';
import type { Target } from '../models/model.ts';
import { version } from '../names.ts';
import type { DatasetSpec } from '../spec.ts';
import { foldCount } from './folds.ts';
import { expandGrid } from './grid.ts';
import { metricFor } from './metrics.ts';
import type { Plan } from './plan.ts';

export const defaultCoverage = 0.9;
const defaultFamilies = ['forest'] as const;

/** What a run is about. */
export interface Question {
  run: string;
  dataset: string;
  revision: string;
  task: Target['task'];
  classes?: readonly string[] | undefined;
  spec: DatasetSpec;
  /** How many rows there are to train on. */
  rows: number;
  /** Whether the target's logarithms are worth learning, too. */
  skewed?: boolean;
}

/** Whether a spec's search is automatic. @throws IngotError InvalidSpec where it asks for both */
export function searchOf({ search, grids }: DatasetSpec): 'auto' | 'grid' {
  if (search === 'auto' && grids)
    throw new IngotError('InvalidSpec', "dataset.json asks for an automatic search and for a grid's values.", {
      where: 'dataset.json, field search',
      fix: "Set search to 'grid', or leave grids out.",
    });
  return search ?? (grids ? 'grid' : 'auto');
}

/**
 * Decides what a grid search tries: the grid of every family asked for (the spec's values in place of the default ones), one trial a family and fold.
 * @param rows how many rows there are to train on; fewer folds where there are fewer rows than folds
 * @throws IngotError InvalidSpec for a metric of another task, for class weights of unknown labels, or for parameters that the family does
 *   not take
 */
export function planSearch(question: Question): Plan {
  const { run, dataset, revision, task, classes, spec, rows } = question;
  const classWeights = parseClassWeights(spec.classWeights, classes);
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
    coverage: spec.coverage ?? defaultCoverage,
    ...(classWeights && { classWeights }),
    seed: spec.seed ?? 0,
    folds,
    candidates,
    trials: names.flatMap((family) => Array.from({ length: folds }, (_, fold) => ({ id: `${family}-${fold}`, family, fold }))),
  };
}
