/** Records of JSON as rows of text: an object a row; columns are the union of the keys. */
import { isUtf8 } from 'node:buffer';
import { formatRecord, type Reject, withoutMark } from './csv-records.ts';
import type { JsonRecord } from './json-records.ts';

export interface JsonTable {
  names: string[];
  /** Places in `names` as the keys follow each other in the rows: one that is first seen late stands behind the key that it follows there. */
  order: number[];
  /** The record, where it is the only one. */
  only?: object;
}

/**
 * Rows are written as csv without the fields after a row's last known key: a key that first comes later is missing in the rows before.
 * Values inside objects and arrays stay JSON.
 */
export async function readJson(
  batches: AsyncIterable<JsonRecord[]>,
  onRow: (line: string) => void,
  onReject: (reject: Reject) => void,
  onBatch: () => Promise<void>,
): Promise<JsonTable> {
  const places = new Map<string, number>();
  const order: number[] = [];
  let only: object | undefined;
  let rows = 0;
  for await (const batch of batches) {
    for (const { bytes, line, column, problem } of batch) {
      const text = bytes.toString('utf8').trim();
      const reject = (reason: string) => onReject({ line, field: column, reason, row: text });
      if (problem !== undefined) {
        reject(problem);
        continue;
      }
      if (text === '') continue;
      if (!isUtf8(bytes)) {
        reject('invalid encoding');
        continue;
      }
      let value: unknown;
      try {
        value = parseJsonOrPython(text);
      } catch {
        reject('not JSON');
        continue;
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        reject('not a JSON object');
        continue;
      }
      only = rows++ === 0 ? value : undefined;
      // A row without a single key is a row all the same, and not a blank line.
      const fields: string[] = [''];
      let before = -1;
      for (const [key, cell] of Object.entries(value)) {
        const place = places.get(key) ?? places.size;
        if (place === places.size) order.splice(order.indexOf(before) + 1, 0, place);
        places.set(key, place);
        before = place;
        fields[place] = cell === null ? '' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
      }
      onRow(`${formatRecord(Array.from(fields, (field) => withoutMark(field?.replaceAll('\0', '\ufffd') ?? '')))}\n`);
    }
    await onBatch();
  }
  return { names: [...places.keys()], order, ...(only && { only }) };
}

/** Strings, which are left as they are, and what Python's `json.dump` writes for floats that JSON has no numbers for. */
const noNumbers = /"(?:[^"\\]|\\.)*"|\bNaN\b|\bInfinity\b/g;
const written: Record<string, string> = { NaN: 'null', Infinity: '1e999' };

/** @throws SyntaxError where it is no JSON with Python's NaN and infinities, which are missing and stay infinite */
function parseJsonOrPython(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const mended = text.replace(noNumbers, (token) => written[token] ?? token);
    if (mended === text) throw error;
    return JSON.parse(mended);
  }
}
