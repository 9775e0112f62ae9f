/** Keys of records as the API writes them (`jobName`), and as CloudFormation and Step Functions do (`JobName`). */
import type { Json, JsonObject } from '../template/intrinsics.ts';

/** Their keys are the user's own. */
const maps = /^(parameters|tags|options|statusSummary)$/i;

export const camelKeys = (value: Json): Json => rename(value, (key) => key[0]!.toLowerCase() + key.slice(1));
export const pascalKeys = (value: Json): Json => rename(value, (key) => key[0]!.toUpperCase() + key.slice(1));

function rename(value: Json, name: (key: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => rename(item, name));
  if (value === null || typeof value !== 'object') return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) result[name(key)] = maps.test(key) ? item : rename(item, name);
  }
  return result;
}
