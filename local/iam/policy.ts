/** IAM policies: statements, and whether they allow or deny a call. */
import { IngotError } from '../../core/errors.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { type Condition, type Context, listed, parseConditions } from './conditions.ts';
import { pattern } from './patterns.ts';

/** What somebody wants to do. */
export interface Call {
  /** `s3:GetObject` */
  action: string;
  /** An ARN, or `*` where the action has no resource. */
  resource: string;
  context?: Context;
}

interface Matching {
  negated: boolean;
  patterns: RegExp[];
}

export interface Statement {
  effect: 'Allow' | 'Deny';
  actions: Matching;
  resources: Matching;
  /** ARNs, account ids and service names, or `*`; undefined in a policy of a role. */
  principals: string[] | undefined;
  conditions: Condition[];
}

/**
 * Reads a policy document.
 * @throws IngotError InvalidRequest for an element that the laptop cloud does not know.
 */
export function parsePolicy(document: JsonObject, where: string): Statement[] {
  return [document['Statement'] ?? []].flat().map((each) => parseStatement(each as JsonObject, where));
}

const known = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'Condition']);

function parseStatement(statement: JsonObject, where: string): Statement {
  const unknown = Object.keys(statement).find((name) => !known.has(name));
  if (unknown || JSON.stringify(statement['Resource'] ?? '').includes('${')) {
    throw new IngotError('InvalidRequest', `The laptop cloud does not know ${unknown ?? 'variables'} in a policy statement.`, {
      where,
      fix: 'docs/laptop.md lists what it checks of IAM.',
    });
  }
  return {
    effect: statement['Effect'] as Statement['effect'],
    actions: matching(statement, 'Action', 'i'),
    resources: matching(statement, 'Resource', ''),
    principals: statement['Principal'] === undefined ? undefined : principalsOf(statement['Principal'] as string | JsonObject),
    conditions: parseConditions(statement['Condition'] as JsonObject | undefined, where),
  };
}

/** A trust policy has no `Resource`: that matches all. */
function matching(statement: JsonObject, name: 'Action' | 'Resource', flags: string): Matching {
  const negated = statement[`Not${name}`] !== undefined;
  const texts = listed(statement[negated ? `Not${name}` : name]);
  return { negated, patterns: (texts.length > 0 ? texts : ['*']).map((text) => pattern(text, flags)) };
}

const principalsOf = (principal: string | JsonObject) =>
  typeof principal === 'string' ? [principal] : Object.values(principal).flatMap(listed);

const matches = ({ negated, patterns }: Matching, text: string) => patterns.some((each) => each.test(text)) !== negated;

/**
 * What statements say of a call: a denial goes before what is allowed.
 * @param names by which a policy of a resource may name the caller; left out for policies of the caller's own.
 */
export function verdict(
  statements: readonly Statement[],
  { action, resource, context = {} }: Call,
  names?: readonly string[],
): 'Allow' | 'Deny' | undefined {
  const fitting = statements.filter(
    ({ actions, resources, principals, conditions }) =>
      matches(actions, action) &&
      matches(resources, resource) &&
      (names === undefined || principals?.some((principal) => principal === '*' || names.includes(principal))) &&
      conditions.every((holds) => holds(context)),
  );
  if (fitting.some(({ effect }) => effect === 'Deny')) return 'Deny';
  return fitting.length > 0 ? 'Allow' : undefined;
}
