/** The rows of a category's values as groups: one for each value with a code, then one of the missing, then one of all others. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn } from '../table/frame.ts';
import { encode, missingCode, type Spellings } from './one-hot.ts';

/** @param values how many have a code @returns the group of each row */
export function groupsOf({ codes, dictionary }: CategoryColumn, spellings: Spellings, values: number): Int32Array {
  const ofEntry = encode(dictionary, spellings).map((code) => (code >= 0 ? code : code === missingCode ? values : values + 1));
  return codes.map((entry) => (entry < 0 ? values : ofEntry[entry]!));
}

/** @param input string [N, 1] @returns int64 [N, 1] */
export function groupsToOnnx(graph: GraphBuilder, input: string, { spellings, missing }: Spellings, values: number): string {
  return graph.node(
    'LabelEncoder',
    [input],
    {
      keys_strings: { strings: [...Object.keys(spellings), ...missing] },
      values_int64s: { ints: [...Object.values(spellings), ...missing.map(() => values)] },
      default_int64: { int: values + 1 },
    },
    { domain: 'ai.onnx.ml' },
  );
}
