/** What a file is, told by its first bytes; its name is only a hint. */
import { isUtf8 } from 'node:buffer';
import type { DatasetSpec } from '../spec.ts';
import { delimiterLine, parseRecord } from './csv-records.ts';
import { guessNumber } from './number-guess.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin-1';

export interface Dialect {
  delimiter: string;
  quote: string;
  header: boolean;
  /** Fields in a row. */
  width: number;
  /** The header's cells as they stand, or none where there is no header. */
  names: string[];
}

export const isGzip = (head: Uint8Array) => head[0] === 0x1f && head[1] === 0x8b;

export const isParquet = (head: Uint8Array) => Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1';

/** What other kind of file it plainly is, in words; undefined where it may be a table in text. */
export function foreignFormat(head: Uint8Array): string | undefined {
  const magic = Buffer.from(head.subarray(0, 8)).toString('latin1');
  if (magic.startsWith('PK\u0003\u0004')) return 'a zip archive or a spreadsheet';
  if (magic.startsWith('%PDF')) return 'a PDF document';
  if (magic.startsWith('SQLite f')) return 'an SQLite database';
  if (magic.startsWith('\u0089PNG') || magic.startsWith('\u00ff\u00d8\u00ff')) return 'an image';
  if (magic.startsWith('\u0028\u00b5\u002f\u00fd') || magic.startsWith('BZh') || magic.startsWith('\u00fd7zXZ')) {
    return 'compressed in a way other than gzip';
  }
  if (/^utf-16/.test(detectEncoding(head))) return undefined;
  const control = head.filter((byte) => byte < 32 && byte !== 0 && !(byte >= 9 && byte <= 13)).length;
  const nul = head.filter((byte) => byte === 0).length;
  return control > head.length / 20 || nul > head.length / 2 ? 'binary data of no known format' : undefined;
}

/** A byte order mark, or the zero bytes that UTF-16 has between Latin letters, or bytes that are not UTF-8, tell the encoding. */
export function detectEncoding(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  for (const [index, byte] of head.entries()) if (byte === 0) zeros[index % 2]!++;
  if (zeros[1]! > head.length * 0.3 && zeros[0]! < head.length * 0.05) return 'utf-16le';
  if (zeros[0]! > head.length * 0.3 && zeros[1]! < head.length * 0.05) return 'utf-16be';
  // The head may end within a character; and a broken row or two do not make a file Latin-1: it has no valid character beyond ASCII then.
  for (let cut = 0; cut < 4; cut++) if (isUtf8(head.subarray(0, head.length - cut))) return 'utf-8';
  return /[^\p{ASCII}\ufffd]/u.test(Buffer.from(head).toString('utf8')) ? 'utf-8' : 'latin-1';
}

export const decode = (bytes: Uint8Array, encoding: Encoding) =>
  new TextDecoder(encoding === 'latin-1' ? 'windows-1252' : encoding).decode(bytes);

/** JSON lines: the first line that is not blank is an object, or is to be one, as most others are. */
export function isJsonLines(text: string): boolean {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  if (!/^\s*\{/.test(lines[0] ?? '')) return false;
  return isObject(lines[0]!) || 2 * lines.filter(isObject).length >= lines.length;
}

function isObject(line: string): boolean {
  try {
    return line.trimStart().startsWith('{') && JSON.parse(line) !== null;
  } catch {
    return false;
  }
}

/** JSON in another layout: an array of records (of a file that is called so, of anything), or objects over several lines. */
export const isJson = (text: string, name: string) =>
  /^\s*(\[\s*)?\{\s*["}]/.test(text) || (/^\s*\[/.test(text) && /\.json(\.gz)?$/i.test(name));

const delimiters = [',', '\t', ';', '|', ':', ' '];
const sampleRecords = 200;

/**
 * The delimiter that splits the rows of `text` (the beginning of a file) into equally many fields that do not look as if they were to be split
 * further; the quote; and whether the first row names the columns.
 */
export function detectDialect(text: string, spec: Pick<DatasetSpec, 'delimiter' | 'header'>, wholeFile: boolean): Dialect {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  if (!wholeFile && lines.length > 1) lines.pop();
  const declared = lines[0]?.match(delimiterLine)?.[1];
  if (declared !== undefined) lines.shift();
  const known = spec.delimiter ?? declared;
  const quote = lines.some((line) => line.includes('"')) || !lines.some((line) => /(^|[,;\t|])'[^']*'([,;\t|]|$)/.test(line)) ? '"' : "'";
  const candidates = (known === undefined ? delimiters : [known]).map((delimiter) => {
    const records = recordsOf(lines, delimiter, quote);
    const counts = new Map<number, number>();
    for (const record of records) counts.set(record.length, (counts.get(record.length) ?? 0) + 1);
    const [width, agreeing] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [1, 0];
    const share = agreeing / Math.max(1, records.length);
    const cells = records.filter((record) => record.length === width).flat();
    const clean = cells.filter((cell) => !/[,;\t|]/.test(cell) || isNumber(cell)).length / Math.max(1, cells.length);
    const rare = delimiter === ':' || delimiter === ' ';
    return {
      delimiter,
      records,
      width,
      score: width < 2 || (rare && (share < 0.9 || clean < 1)) ? 0 : (share * (1 + clean)) / (rare ? 4 : 2),
    };
  });
  const best = candidates.reduce((a, b) =>
    b.score > a.score + 1e-9 || (Math.abs(b.score - a.score) <= 1e-9 && b.width > a.width && b.score > 0) ? b : a,
  );
  const [first = [], ...rest] = best.records;
  const header = spec.header ?? looksLikeHeader(first, rest);
  return { delimiter: best.delimiter, quote, header, width: header ? first.length : best.width, names: header ? first : [] };
}

function recordsOf(lines: string[], delimiter: string, quote: string): string[][] {
  const records: string[][] = [];
  for (let at = 0; at < lines.length && records.length < sampleRecords; at++) {
    let record = parseRecord(lines[at]!, delimiter, quote);
    for (let more = 1; !Array.isArray(record) && record.problem === 'unterminated quote' && more < 20 && at + more < lines.length; more++) {
      record = parseRecord(lines.slice(at, at + more + 1).join('\n'), delimiter, quote);
      if (Array.isArray(record)) at += more;
    }
    if (Array.isArray(record)) records.push(record);
  }
  return records;
}

const isNumber = (cell: string) => guessNumber([cell], 1, { words: false }) !== undefined;

/** Each column votes: a text over numbers is a name; a number over numbers, or a text that comes again below, is a value. */
function looksLikeHeader(first: string[], others: string[][]): boolean {
  // Joined files have it again.
  const rest = others.filter((record) => record.length !== first.length || record.some((cell, column) => cell !== first[column]));
  let votes = 0;
  for (const [column, cell] of first.entries()) {
    const below = rest.map((record) => record[column]?.trim() ?? '').filter((value) => value !== '');
    const numeric = below.length > 0 && below.filter(isNumber).length >= 0.8 * below.length;
    if (cell.trim() === '') continue;
    if (numeric) votes += isNumber(cell) ? -1 : 1;
    else if (below.includes(cell.trim())) votes -= 1;
  }
  if (votes !== 0) return votes > 0;
  return first.some((cell) => cell.trim() !== '') && !first.some(isNumber) && (rest.length > 0 || first.length > 1);
}
