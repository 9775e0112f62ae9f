/**
 * Delimited text, record by record, for files that are not what they should be: what DuckDB's parallel reader refuses is read here with exact
 * accounting. Each record is either whole and of the right width, or rejected with file, line, column and reason; after a broken one, reading
 * goes on with the very next line, so a quote that is never closed costs one line and not the rest of the file.
 */
import { isUtf8 } from 'node:buffer';

export type Reason =
  | 'unterminated quote'
  | 'text after a closing quote'
  | 'too few fields'
  | 'too many fields'
  | 'NUL byte'
  | 'header again'
  | 'invalid encoding';

export interface Reject {
  /** Line of the file, from 1. */
  line: number;
  /** Field of the row, or of JSON the column of the line where the record begins, from 1. */
  field: number;
  reason: string;
  /** The row as it stands in the file; bytes that are no characters become U+FFFD. */
  row: string;
}

export interface Problem {
  problem: 'unterminated quote' | 'text after a closing quote';
  field: number;
}

/** Files that were joined have the byte order marks of all of them inside, and DuckDB's client loses one that begins a text: no cell begins with it. */
export const byteOrderMark = '\uFEFF';

export function withoutMark(cell: string): string {
  let from = 0;
  while (cell[from] === byteOrderMark) from++;
  return cell.slice(from);
}

/** What a spreadsheet may write as the first line of a file: the delimiter. */
export const delimiterLine = /^\uFEFF?sep=(.)$/i;

/**
 * Splits one record. Quotes count only at the start of a field (after spaces and byte order marks), and a doubled quote is a quote, as RFC 4180
 * has it.
 */
export function parseRecord(text: string, delimiter: string, quote: string): string[] | Problem {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    let start = at;
    while ((text[start] === ' ' && delimiter !== ' ') || text[start] === byteOrderMark) start++;
    if (text[start] !== quote) {
      const end = text.indexOf(delimiter, at);
      fields.push(withoutMark(text.slice(at, end < 0 ? text.length : end)));
      if (end < 0) return fields;
      at = end;
      continue;
    }
    let value = '';
    for (let from = start + 1; ; ) {
      const end = text.indexOf(quote, from);
      if (end < 0) return { problem: 'unterminated quote', field: fields.length + 1 };
      value += text.slice(from, end);
      at = end + 1;
      if (text[at] !== quote) break;
      value += quote;
      from = at + 1;
    }
    fields.push(withoutMark(value));
    while (text[at] === ' ' && delimiter !== ' ') at++;
    if (at === text.length) return fields;
    if (text[at] !== delimiter) return { problem: 'text after a closing quote', field: fields.length };
  }
}

/** Writes one record so that any strict reader reads it back. */
export function formatRecord(fields: string[], delimiter = ','): string {
  const needsQuotes = (field: string) => field.includes(delimiter) || /["\r\n]/.test(field) || field !== field.trim() || field === '';
  return fields.map((field) => (needsQuotes(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(delimiter);
}

/** A quoted field may span lines, up to this many characters; more is taken for a quote that was never closed. */
const longestRecord = 1_000_000;

export interface RecordOptions {
  delimiter: string;
  quote: string;
  width: number;
  header: boolean;
}

/**
 * Reads records from batches of lines, each with its line end.
 * @param onRecord a good record: its line as it stands where it can be copied as it is, its fields otherwise
 */
export async function readRecords(
  batches: AsyncIterable<Buffer[]>,
  options: RecordOptions,
  onRecord: (line: Buffer | undefined, fields: string[]) => void,
  onReject: (reject: Reject) => void,
  onBatch: () => Promise<void>,
): Promise<void> {
  const source = batches[Symbol.asyncIterator]();
  const { delimiter, quote, width } = options;
  const quoteByte = quote.charCodeAt(0);
  let lines: Buffer[] = [];
  let at = 0;
  let line = 1;
  let done = false;
  let atHeader = options.header;
  let header: string[] | undefined;
  const more = async () => {
    await onBatch();
    const next = await source.next();
    if (next.done) done = true;
    else lines = [...lines.slice(at), ...next.value];
    if (!next.done) at = 0;
    return !done;
  };
  for (;;) {
    if (at >= lines.length && (done || !(await more()))) return;
    if (at >= lines.length) continue;
    const first = withoutEnd(lines[at]!);
    if (first.toString('latin1').trim() === '' || (line === 1 && delimiterLine.test(first.toString('utf8')))) {
      at++;
      line++;
      continue;
    }
    let text = first.toString('utf8');
    let span = 1;
    let record = parseRecord(text, delimiter, quote);
    for (let whole = lines[at]!.toString('utf8'); !Array.isArray(record) && record.problem === 'unterminated quote'; span++) {
      if (at + span >= lines.length && (done || !(await more()))) break;
      const next = lines[at + span];
      if (next === undefined) break;
      text = whole + withoutEnd(next).toString('utf8');
      whole += next.toString('utf8');
      if (whole.length > longestRecord) break;
      // Only a quote can close the field: other lines need no second look.
      if (next.includes(quoteByte)) record = parseRecord(text, delimiter, quote);
    }
    const bytes = span === 1 ? first : Buffer.concat(lines.slice(at, at + span));
    const problem = Array.isArray(record)
      ? (problemOf(record, bytes, text, options) ?? repeatOf(header, record))
      : { reason: span > 1 ? 'unterminated quote' : record.problem, field: record.field };
    if (problem === undefined && Array.isArray(record)) {
      if (atHeader) {
        atHeader = false;
        header = record;
      } else {
        if (record.length > width) record.pop();
        const isPlain = span === 1 && !first.includes(quoteByte) && !first.includes('"') && !first.includes(byteOrderMark);
        onRecord(isPlain ? first : undefined, record);
      }
      at += span;
      line += span;
      continue;
    }
    // A header with a NUL or an invalid character is no reject; a line that cannot be split is no header, which is found behind it then.
    if (atHeader && Array.isArray(record)) atHeader = false;
    else onReject({ line, field: problem!.field, reason: problem!.reason, row: first.toString('utf8') });
    at++;
    line++;
  }
}

function problemOf(record: string[], bytes: Buffer, text: string, options: RecordOptions): { reason: Reason; field: number } | undefined {
  const { delimiter, width } = options;
  if (!isUtf8(bytes)) return { reason: 'invalid encoding', field: fieldOf(record, '\ufffd') };
  if (bytes.includes(0)) return { reason: 'NUL byte', field: fieldOf(record, '\0') };
  if (record.length < width) return { reason: 'too few fields', field: record.length };
  // One delimiter too many at the end of a row is a habit of some programs, not a field.
  if (record.length > width + 1 || (record.length > width && record.at(-1) !== '')) return { reason: 'too many fields', field: width + 1 };
  const inner = text.split(/\r\n|\n|\r/).slice(1, -1);
  // Rows inside a field: two strays that happen to make a pair, and not a text that someone wrote.
  if (width > 1 && inner.length >= 4 && inner.filter((row) => row.split(delimiter).length === width).length >= 0.8 * inner.length) {
    return { reason: 'unterminated quote', field: record.findIndex((field) => /[\r\n]/.test(field)) + 1 };
  }
  return undefined;
}

/** Files that were joined have each its header. */
const repeatOf = (header: string[] | undefined, record: string[]) =>
  header !== undefined && header.length === record.length && header.every((name, index) => name === record[index])
    ? { reason: 'header again' as const, field: 1 }
    : undefined;

const fieldOf = (record: string[], mark: string) =>
  Math.max(
    0,
    record.findIndex((field) => field.includes(mark)),
  ) + 1;

function withoutEnd(line: Buffer): Buffer {
  let end = line.length;
  if (line[end - 1] === 10) end--;
  if (line[end - 1] === 13) end--;
  return line.subarray(0, end);
}
