/** CloudFormation's intrinsic functions, resolved against what has been created so far. */
import { IngotError } from '../../core/errors.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };
export type JsonObject = { [key: string]: Json | undefined };

/** What `Ref` and `Fn::GetAtt` give for a created resource. */
export interface Identity {
  ref: string;
  attributes: Record<string, string>;
}

/** What intrinsics can refer to. */
export interface Scope {
  identities: ReadonlyMap<string, Identity>;
  /** Parameters and pseudo parameters (`AWS::Region` …). */
  parameters: ReadonlyMap<string, Json>;
  conditions: ReadonlyMap<string, Json>;
  mappings: JsonObject;
  /** The last word on every string that was put together: the API's address, for one, is the laptop's. */
  rewrite(text: string): string;
}

const noValue = Symbol('AWS::NoValue');

/**
 * The value with all intrinsics replaced.
 * @throws IngotError InvalidRequest for an intrinsic that the laptop cloud does not know, or a reference to nothing.
 */
export function resolve(value: Json | undefined, scope: Scope, where: string): Json {
  const result = evaluate(value ?? null, scope, where);
  return result === noValue ? null : result;
}

function evaluate(value: Json, scope: Scope, where: string): Json | typeof noValue {
  if (typeof value === 'string') return scope.rewrite(value);
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const result = evaluate(item, scope, where);
      return result === noValue ? [] : [result];
    });
  }
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value);
  const key = keys[0];
  if (keys.length === 1 && (key === 'Ref' || key === 'Condition' || key!.startsWith('Fn::'))) {
    if (key === 'Condition' && typeof value[key] !== 'string') return resolveObject(value, scope, where);
    return intrinsic(key!, value[key!]!, scope, where);
  }
  return resolveObject(value, scope, where);
}

function resolveObject(value: JsonObject, scope: Scope, where: string): JsonObject {
  const result: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const resolved = evaluate(item, scope, where);
    if (resolved !== noValue) result[name] = resolved;
  }
  return result;
}

function intrinsic(name: string, argument: Json, scope: Scope, where: string): Json | typeof noValue {
  const list = () => resolve(argument, scope, where) as Json[];
  switch (name) {
    case 'Ref':
      return reference(argument as string, scope, where);
    case 'Fn::GetAtt': {
      const [id, ...path] = typeof argument === 'string' ? argument.split('.') : (argument as string[]);
      return attribute(id!, path.join('.'), scope, where);
    }
    case 'Fn::Join': {
      const [separator, parts] = list() as [string, Json[]];
      return scope.rewrite(parts.map(String).join(separator));
    }
    case 'Fn::Sub':
      return substitute(argument, scope, where);
    case 'Fn::Select': {
      const [index, items] = list() as [number | string, Json[]];
      return items[Number(index)] ?? null;
    }
    case 'Fn::Split': {
      const [separator, text] = list() as [string, string];
      return text.split(separator);
    }
    case 'Fn::FindInMap': {
      const [map, first, second] = list() as [string, string, string];
      const found = ((scope.mappings[map] as JsonObject | undefined)?.[first] as JsonObject | undefined)?.[second];
      if (found === undefined) throw unknown(`mapping ${map}.${first}.${second}`, where);
      return found;
    }
    case 'Fn::If': {
      const [condition, yes, no] = argument as [string, Json, Json];
      return evaluate(holds(condition, scope, where) ? yes : no, scope, where);
    }
    case 'Condition':
      return holds(argument as string, scope, where);
    case 'Fn::Equals': {
      const [left, right] = list();
      return JSON.stringify(left) === JSON.stringify(right);
    }
    case 'Fn::Not':
      return !list()[0];
    case 'Fn::And':
      return list().every(Boolean);
    case 'Fn::Or':
      return list().some(Boolean);
    case 'Fn::Base64':
      return Buffer.from(resolve(argument, scope, where) as string).toString('base64');
    case 'Fn::GetAZs':
      return ['a', 'b'].map((zone) => `${scope.parameters.get('AWS::Region')}${zone}`);
    default:
      throw new IngotError('InvalidRequest', `The laptop cloud does not know the intrinsic function ${name}.`, {
        where,
        fix: 'See docs/laptop.md for what it runs.',
      });
  }
}

function reference(name: string, scope: Scope, where: string): Json | typeof noValue {
  if (name === 'AWS::NoValue') return noValue;
  const identity = scope.identities.get(name);
  if (identity) return identity.ref;
  const parameter = scope.parameters.get(name);
  if (parameter === undefined) throw unknown(`reference to ${name}`, where);
  return parameter;
}

function attribute(id: string, name: string, scope: Scope, where: string): string {
  const found = scope.identities.get(id)?.attributes[name];
  if (found === undefined) throw unknown(`attribute ${id}.${name}`, where);
  return found;
}

function substitute(argument: Json, scope: Scope, where: string): string {
  const [template, variables] = Array.isArray(argument) ? (argument as [string, JsonObject]) : [argument as string, {}];
  const text = template.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    const key = name.trim();
    if (Object.hasOwn(variables, key)) return String(resolve(variables[key], scope, where));
    const dot = key.indexOf('.');
    if (dot < 0) return String(resolve({ Ref: key }, scope, where));
    return attribute(key.slice(0, dot), key.slice(dot + 1), scope, where);
  });
  return scope.rewrite(text);
}

function holds(name: string, scope: Scope, where: string): boolean {
  const condition = scope.conditions.get(name);
  if (condition === undefined) throw unknown(`condition ${name}`, where);
  return Boolean(resolve(condition, scope, where));
}

function unknown(what: string, where: string): IngotError {
  return new IngotError('InvalidRequest', `The template has a ${what} that leads nowhere.`, {
    where,
    fix: 'If AWS gives it, the laptop cloud lacks it: see docs/laptop.md.',
  });
}

/** The logical ids that a value refers to. */
export function references(value: Json | undefined, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      if (key === 'Ref' && typeof item === 'string') found.add(item);
      else if (key === 'Fn::GetAtt') found.add(typeof item === 'string' ? item.split('.')[0]! : String((item as Json[])[0]));
      else if (key === 'Fn::Sub') {
        const template = Array.isArray(item) ? item[0] : item;
        for (const [, name] of String(template).matchAll(/\$\{([^!}.]+)[^}]*\}/g)) found.add(name!.trim());
        if (Array.isArray(item)) references(item[1], found);
      } else references(item, found);
    }
  }
  return found;
}
