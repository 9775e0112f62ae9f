import type { Shape } from '../../core/compute/estimator.ts';
import type { Plan } from '../../core/search/plan.ts';
import { planSearch } from '../../core/search/plan-search.ts';
import type { DatasetSpec } from '../../core/spec.ts';

/** The plan that a dataset of that shape gets. */
export function planOf(shape: Shape, spec: DatasetSpec = {}): Plan {
  const task = shape.classes === 0 ? 'regression' : 'classification';
  return planSearch({ run: 'r', dataset: 'd', revision: 'v', task, spec, rows: shape.rows });
}
