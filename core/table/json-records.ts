/**
 * JSON of any layout, cut into records as it streams by: the values of an array, and objects that stand outside of one. Only the record at hand is
 * held, so an array of many gigabytes may stand on one line. Cutting needs to know quotes and brackets alone; what is no JSON is found by whoever parses.
 */
import { IngotError } from '../errors.ts';
import { findMistake } from '../json.ts';
import type { Reject } from './csv-records.ts';

export interface JsonRecord {
  bytes: Buffer;
  /** Where it begins, from 1; lines end with LF, and columns are characters. */
  line: number;
  column: number;
  /** Why it is none, whatever it holds. */
  problem?: 'comma missing' | 'array not closed';
}

/** Each line as a record. */
export async function* lineRecords(batches: AsyncIterable<Buffer[]>): AsyncGenerator<JsonRecord[]> {
  let line = 0;
  for await (const batch of batches) yield batch.map((bytes) => ({ bytes, line: ++line, column: 1 }));
}

/** How to write rows that are there in another arrangement. */
export const asRecords = 'Write its rows as one array of objects, or one object a line; in pandas by df.to_json(path, orient="records").';

/** More is no row of a table, but a table in another arrangement, or what follows a bracket that is never closed. */
const longestRecord = 1 << 24;

/**
 * @param chunks UTF-8 without byte order mark
 * @throws IngotError UnreadableDataset where a record is longer than 16 MB
 */
export async function* jsonRecords(name: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<JsonRecord[]> {
  const splitter = new RecordSplitter();
  for await (const chunk of chunks) {
    yield splitter.split(chunk);
    const { open } = splitter;
    if (open === undefined || open.bytes.length <= longestRecord) continue;
    const { line, column, bytes } = open;
    checkThatItHidesNone(name, { line, field: column, reason: 'not JSON', row: bytes.toString('utf8') });
    throw new IngotError('UnreadableDataset', `${name} has a record of more than 16 MB.`, {
      where: `${name}, line ${line}, column ${column}`,
      fix: asRecords,
    });
  }
  yield splitter.end();
}

/**
 * A quote or bracket that is missing, or one too many, makes one record of all that follow. One of them may be rejected, but not many as if they were one.
 * @throws IngotError UnreadableDataset where a record seems to follow behind the first mistake
 */
export function checkThatItHidesNone(name: string, { line, field, row }: Reject): void {
  const mistake = row.startsWith('{') ? findMistake(row) : { offset: 0, line: 1, column: 1, what: 'record expected' };
  if (!/\}\s*(,\s*)?\{\s*"/.test(row.slice(mistake.offset))) return;
  const place = `line ${line + mistake.line - 1}, column ${mistake.line === 1 ? field + mistake.column - 1 : mistake.column}`;
  throw new IngotError('UnreadableDataset', `${name} cannot be read as records of JSON: ${mistake.what}, at ${place}.`, {
    where: `${name}, ${place}`,
    fix: 'Mend it there, or write the file anew by a program that writes JSON.',
  });
}

/** Where nothing could be read, and of what was rejected the first is this. */
export const noObjects = (name: string, rejected: number, { line, field, reason, row }: Reject) =>
  new IngotError(
    'EmptyDataset',
    `Not one of the ${rejected} records of ${name} is a JSON object${reason === 'not JSON' ? `: ${findMistake(row).what}` : ''}.`,
    { where: `${name}, line ${line}, column ${field}`, fix: asRecords },
  );

/**
 * A single object may hold all the rows: by column or by index, when it has nothing but lists and objects; or as a list, beside what a service says of
 * it, which one row among others may have too.
 * @param isAlone whether no other file of the dataset has rows
 * @throws IngotError UnreadableDataset
 */
export function checkThatItIsARow(name: string, only: object, isAlone: boolean): void {
  const fields = Object.entries(only);
  const [list, ...others] = fields.filter(([, value]) => Array.isArray(value) && value.length > 0 && value.every(isRecord));
  const isTable = fields.length > 0 && fields.every(([, value]) => typeof value === 'object' && value !== null);
  if (!isTable && !(isAlone && list)) return;
  throw new IngotError('UnreadableDataset', `${name} is one JSON object that holds its rows, and not a list of them.`, {
    // Names of other fields may be the keys of rows, which nobody should read in an error.
    where: list ? `${name}, field '${list[0]}'` : name,
    fix: list && others.length === 0 ? `Upload the list alone: jq '.[${JSON.stringify(list[0])}]' gives it.` : asRecords,
  });
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

class RecordSplitter {
  /** What has been read of the record at hand, and where it begins. */
  open: JsonRecord | undefined;
  private inArray = false;
  private needsComma = false;
  /** Brackets of the record at hand that are open; none of a string or another scalar. */
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private line = 1;
  private column = 1;

  /** @returns the records that end in the chunk */
  split(chunk: Buffer): JsonRecord[] {
    const records: JsonRecord[] = [];
    const before = this.open?.bytes ?? Buffer.alloc(0);
    const buffer = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
    let start = 0;
    let { open, inArray, needsComma, depth, inString, isEscaped, line, column } = this;
    const close = (end: number) => {
      records.push({ ...open!, bytes: buffer.subarray(start, end) });
      open = undefined;
    };
    for (let at = before.length; at < buffer.length; at++) {
      const byte = buffer[at]!;
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) {
          inString = false;
          if (depth === 0) close(at + 1);
        }
      } else if (depth > 0) {
        if (byte === quote) inString = true;
        else if (byte === openBrace || byte === openBracket) depth++;
        else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) close(at + 1);
      } else {
        const isSpace = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
        const opens = byte === openBrace || byte === openBracket || byte === quote;
        // What is in no brackets and no quotes ends where something else begins.
        if (open !== undefined && (isSpace || opens || byte === comma || byte === closeBracket)) close(at);
        if (byte === comma) needsComma = false;
        else if (byte === openBracket && !inArray) inArray = true;
        else if (byte === closeBracket && inArray) inArray = false;
        else if (!isSpace && open === undefined) {
          open = { bytes: before, line, column, ...(inArray && needsComma && { problem: 'comma missing' }) };
          start = at;
          needsComma = true;
          inString = byte === quote;
          depth = opens && !inString ? 1 : 0;
        }
        if (!inArray) needsComma = false;
      }
      if (byte === newline) {
        line++;
        column = 1;
      } else if ((byte & 0xc0) !== 0x80) column++;
    }
    if (open !== undefined) open = { ...open, bytes: buffer.subarray(start) };
    Object.assign(this, { open, inArray, needsComma, depth, inString, isEscaped, line, column });
    return records;
  }

  /** @returns what is left where the file ends: nothing, if it is whole */
  end(): JsonRecord[] {
    const { open, inArray, line, column } = this;
    if (inArray) return [{ ...(open ?? { bytes: Buffer.alloc(0), line, column }), problem: 'array not closed' }];
    return open === undefined ? [] : [open];
  }
}
