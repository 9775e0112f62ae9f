/** One table of constraints a family: it checks parameters, words the errors and makes the documentation. */
import { IngotError } from '../errors.ts';
import type { Params } from './model.ts';

export interface Constraint {
  default: Params[string];
  /** What is allowed, to complete "must be …". */
  allowed: string;
  accepts(value: Params[string]): boolean;
  /** What it does, in a sentence. */
  meaning: string;
}

export type Constraints = Record<string, Constraint>;

export const integer = (value: Params[string], low: number, high: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;

/** Checks parameters and fills the defaults in, in the table's order. @throws IngotError InvalidSpec */
export function parseParams(family: string, constraints: Constraints, params: Params): Params {
  for (const name of Object.keys(params))
    if (!Object.hasOwn(constraints, name))
      throw new IngotError('InvalidSpec', `${family} has no parameter '${name}'.`, {
        where: `dataset.json, field grids.${family}.${name}`,
        fix: `Its parameters are ${Object.keys(constraints).join(', ')}.`,
      });
  return Object.fromEntries(
    Object.entries(constraints).map(([name, constraint]) => {
      const value = Object.hasOwn(params, name) ? params[name]! : constraint.default;
      if (constraint.accepts(value)) return [name, value];
      throw new IngotError('InvalidSpec', `${family}'s ${name} must be ${constraint.allowed}, not ${JSON.stringify(value)}.`, {
        where: `dataset.json, field grids.${family}.${name}`,
        fix: `Use ${constraint.allowed}; the default is ${JSON.stringify(constraint.default)}.`,
      });
    }),
  );
}

/** The table as Markdown, for the documentation. */
export function describeParams(constraints: Constraints): string {
  const rows = Object.entries(constraints).map(
    ([name, { allowed, meaning, ...constraint }]) =>
      `| \`${name}\` | ${allowed} | \`${JSON.stringify(constraint.default)}\` | ${meaning} |`,
  );
  return ['| parameter | allowed | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
