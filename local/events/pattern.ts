/** Event patterns: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
import type { Json, JsonObject } from '../template/intrinsics.ts';

/** What a value may be, beside being equal. */
const comparisons: Record<string, (value: Json | undefined, operand: Json) => boolean> = {
  prefix: (value, operand) => typeof value === 'string' && value.startsWith(String(operand)),
  suffix: (value, operand) => typeof value === 'string' && value.endsWith(String(operand)),
  exists: (value, operand) => (value !== undefined) === operand,
};

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first comparison of a pattern that is not known here; undefined where all are. */
export function unknownComparison(pattern: Json | undefined): string | undefined {
  if (Array.isArray(pattern)) {
    for (const each of pattern.filter(isObject)) {
      const unknown = Object.keys(each).find((name) => !Object.hasOwn(comparisons, name));
      if (unknown) return unknown;
    }
    return undefined;
  }
  for (const [name, part] of Object.entries((pattern ?? {}) as JsonObject)) {
    const parts = name === '$or' ? (part as Json[]) : [part];
    if (name !== '$or' && name.startsWith('$')) return name;
    const unknown = parts.map(unknownComparison).find((each) => each !== undefined);
    if (unknown) return unknown;
  }
  return undefined;
}

/** A field of an event that is a list matches where one of its members does. */
export function matches(pattern: JsonObject, event: Json | undefined): boolean {
  if (Array.isArray(event)) return event.length === 0 ? matches(pattern, undefined) : event.some((each) => matches(pattern, each));
  return Object.entries(pattern).every(([name, part]) => {
    if (name === '$or') return (part as JsonObject[]).some((each) => matches(each, event));
    const value = isObject(event) ? event[name] : undefined;
    if (!Array.isArray(part)) return matches(part as JsonObject, value);
    const values = Array.isArray(value) && value.length > 0 ? value : [value];
    return values.some((each) => part.some((wanted) => fits(wanted, each)));
  });
}

function fits(wanted: Json | undefined, value: Json | undefined): boolean {
  if (!isObject(wanted)) return wanted === value;
  return Object.entries(wanted).every(([name, operand]) => comparisons[name]!(value, operand ?? null));
}
