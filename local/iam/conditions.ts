/** The conditions of policy statements: the operators that stacks use. One that is not here is an error when the policy is read. */
import { IngotError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import { pattern } from './patterns.ts';

/** Condition keys and their values, such as `s3:prefix`; keys are told apart regardless of case. */
export type Context = Readonly<Record<string, string | undefined>>;

/** Whether a request's context meets it. */
export type Condition = (context: Context) => boolean;

type Test = (value: string, wanted: string) => boolean;

const number = (holds: (value: number, wanted: number) => boolean): Test => {
  return (value, wanted) => holds(Number(value), Number(wanted));
};

const tests: Record<string, Test> = {
  StringEquals: (value, wanted) => value === wanted,
  StringEqualsIgnoreCase: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  StringLike: (value, wanted) => pattern(wanted).test(value),
  ArnEquals: (value, wanted) => pattern(wanted).test(value),
  ArnLike: (value, wanted) => pattern(wanted).test(value),
  Bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: number((value, wanted) => value === wanted),
  NumericLessThan: number((value, wanted) => value < wanted),
  NumericLessThanEquals: number((value, wanted) => value <= wanted),
  NumericGreaterThan: number((value, wanted) => value > wanted),
  NumericGreaterThanEquals: number((value, wanted) => value >= wanted),
};

/** Operators that hold where none of the values does, and where the key is missing. */
const negated: Record<string, string> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
};

/** @throws IngotError InvalidRequest for an operator that the laptop cloud does not know. */
export function parseConditions(block: JsonObject | undefined, where: string): Condition[] {
  return Object.entries(block ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys as JsonObject).map(([key, values]) => condition(operator, key.toLowerCase(), [values].flat().map(String), where)),
  );
}

function condition(operator: string, key: string, wanted: string[], where: string): Condition {
  if (operator === 'Null') return (context) => wanted.some((value) => (lookUp(context, key) === undefined) === (value === 'true'));
  const optional = operator.endsWith('IfExists');
  const name = optional ? operator.slice(0, -'IfExists'.length) : operator;
  const test = tests[negated[name] ?? name];
  if (!test) {
    throw new IngotError('InvalidRequest', `The laptop cloud does not know the condition operator ${operator}.`, {
      where,
      fix: 'Add it to local/iam/conditions.ts.',
    });
  }
  return (context) => {
    const value = lookUp(context, key);
    if (value === undefined) return optional || name in negated;
    return wanted.some((each) => test(value, each)) !== name in negated;
  };
}

function lookUp(context: Context, key: string): string | undefined {
  const name = Object.keys(context).find((each) => each.toLowerCase() === key);
  return name === undefined ? undefined : context[name];
}

/** A list where the policy language also takes one value. */
export const listed = (value: Json | undefined): string[] => (value === undefined ? [] : [value].flat().map(String));
