/** Which column is to be predicted, and whether its values are classes or quantities. */
import { IngotError } from '../errors.ts';
import { metrics } from '../search/metrics.ts';
import type { DatasetSpec } from '../spec.ts';
import { nearNames } from './values.ts';

export type Inferred = { what: string; value: string; why: string };

/** Integers are classes where there are at most this many, */
const mostClasses = 20;
/** and at most this share of the rows. */
const classShare = 0.05;
/** More classes than these are no classes. */
const mostLabels = 1000;

/**
 * @param blank columns without a name and without a value, as a delimiter at the end of each line makes them: none is meant
 * @throws IngotError UnusableTarget where the spec's target is not among the columns
 */
export function chooseTarget(spec: DatasetSpec, names: string[], blank: readonly string[] = []): { target: string; inferred: Inferred } {
  const byRole = Object.entries(spec.columns ?? {}).find(([, { role }]) => role === 'target')?.[0];
  const named = spec.target ?? byRole;
  if (named !== undefined && !names.includes(named)) {
    throw new IngotError('UnusableTarget', `There is no column '${named}', which dataset.json names as the target.`, {
      where: spec.target === undefined ? `dataset.json, field columns.${named}` : 'dataset.json, field target',
      fix: `The names most like it: ${nearNames(named, names)}.`,
    });
  }
  if (named !== undefined) return { target: named, inferred: { what: 'target', value: named, why: 'dataset.json says so' } };
  const open = names.filter((name) => spec.columns?.[name]?.role === undefined || !Object.hasOwn(spec.columns, name));
  const target = open.findLast((name) => !blank.includes(name)) ?? open.at(-1) ?? names.at(-1)!;
  const why = blank.length > 0 ? 'it is the last column with a name or a value' : 'it is the last column';
  return { target, inferred: { what: 'target', value: target, why } };
}

export interface TargetValues {
  name: string;
  type: 'number' | 'boolean' | 'category';
  rows: number;
  distinct: number;
  /** Distinct values: numbers ascending, strings in code unit order; undefined where there are too many to list. */
  values: (number | string)[] | undefined;
}

export interface Task {
  task: 'classification' | 'regression';
  classes?: string[];
  classType?: 'string' | 'integer' | 'boolean';
  inferred: Inferred;
}

/** @throws IngotError UnusableTarget, or InvalidSpec where the spec's task does not fit the values */
export function decideTask(spec: DatasetSpec, { name, type, rows, distinct, values }: TargetValues): Task {
  const where = `column '${name}'`;
  if (distinct < 2) {
    throw new IngotError('UnusableTarget', `The target '${name}' has a single value in all ${rows} rows: there is nothing to tell apart.`, {
      where,
      fix: 'Name another column as "target" in dataset.json, or add rows with other values.',
    });
  }
  if (type !== 'number' && spec.task === 'regression') {
    throw new IngotError('InvalidSpec', `dataset.json asks for regression, but the target '${name}' is not a number.`, {
      where: 'dataset.json, field task',
      fix: 'Leave out "task", or name a column of numbers as "target".',
    });
  }
  const integers = type === 'number' && (values?.every((value) => Number.isInteger(value)) ?? false);
  const few = distinct === 2 || (integers && distinct <= mostClasses && distinct <= classShare * rows);
  const { task, why } = taskOf(spec, { name, type, rows, distinct }, few);
  const inferred = { what: 'task', value: task, why };
  if (task === 'regression') return { task, inferred };
  if (values === undefined || distinct > mostLabels) {
    throw new IngotError(
      'UnusableTarget',
      `The target '${name}' has ${distinct} different values, more than the ${mostLabels} classes that can be told apart.`,
      {
        where,
        fix:
          type === 'number'
            ? 'Set "task": "regression" in dataset.json, or name another target.'
            : 'Name another column as "target" in dataset.json.',
      },
    );
  }
  return { task, classes: values.map(labelOf), classType: type === 'boolean' ? 'boolean' : integers ? 'integer' : 'string', inferred };
}

function taskOf(
  spec: DatasetSpec,
  { name, type, rows, distinct }: Omit<TargetValues, 'values'>,
  few: boolean,
): { task: Task['task']; why: string } {
  if (spec.task !== undefined) return { task: spec.task, why: 'dataset.json says so' };
  if (type !== 'number')
    return { task: 'classification', why: `the values of '${name}' are ${type === 'boolean' ? 'true and false' : 'strings'}` };
  if (spec.metric !== undefined) {
    const { task } = metrics[spec.metric];
    return { task, why: `the metric '${spec.metric}' is one for ${task}` };
  }
  if (few) return { task: 'classification', why: `'${name}' has ${distinct} different numbers in ${rows} rows` };
  return { task: 'regression', why: `'${name}' is a number with ${distinct} different values in ${rows} rows` };
}

const labelOf = (value: number | string) => (value === 0 ? '0' : String(value));
