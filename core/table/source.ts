/** One file of a dataset as something that SQL can select from: what it is, what its columns are called, and what in it can't be read. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { DatasetSpec } from '../spec.ts';
import { byteOrderMark, delimiterLine, formatRecord, type Reject, readRecords } from './csv-records.ts';
import { identifier, literal, rowsOf } from './database.ts';
import { checkThatItHidesNone, checkThatItIsARow, type JsonRecord, jsonRecords, lineRecords, noObjects } from './json-records.ts';
import { type JsonTable, readJson } from './json-rows.ts';
import type { Rejects } from './rejects.ts';
import type { SourceFile } from './report.ts';
import type { PlainText } from './scan/scan.ts';
import {
  type Dialect,
  decode,
  detectDialect,
  detectEncoding,
  type Encoding,
  foreignFormat,
  isGzip,
  isJson,
  isJsonLines,
  isParquet,
} from './sniff.ts';
import { gunzipFile, lineBatches, readHead, readTail, utf8Chunks } from './text-file.ts';

export interface Source {
  file: SourceFile;
  /** The columns' names as the file has them, which may be empty or occur twice. */
  names: string[];
  /** Places in `names` in the order in which the columns are to stand, where that is another. */
  order?: number[];
  /** A FROM item whose columns are VARCHAR, in order. */
  sql: string;
  /** Delimited text that DuckDB reads as it stands: where it can't, `repair` gives a source that is read record by record. */
  repair?: () => Promise<Source>;
  /** The same text, for a scan. */
  text?: PlainText;
}

export interface SourceInput {
  name: string;
  path: string;
  /** Where temporary files go; `index` tells them apart. */
  directory: string;
  index: number;
  spec: DatasetSpec;
  rejects: Rejects;
}

const headBytes = 1 << 18;

/** @throws IngotError EmptyDataset or UnreadableDataset with the file's name */
export async function openSource(database: DuckDBConnection, input: SourceInput): Promise<Source> {
  const { name } = input;
  const { size: bytes } = await stat(input.path);
  if (bytes === 0)
    throw new IngotError('EmptyDataset', `${name} is empty.`, { where: name, fix: 'Upload a file with a row for each example.' });
  let path = input.path;
  let head = await readHead(path, headBytes);
  const compression = isGzip(head) ? 'gzip' : 'none';
  if (compression === 'gzip') {
    path = join(input.directory, `unpacked-${input.index}`);
    try {
      await gunzipFile(input.path, path);
    } catch (cause) {
      throw new IngotError('UnreadableDataset', `${name} is gzip that ends too early or is damaged.`, {
        where: name,
        fix: 'Check it with `gzip -t`, then upload it again, whole.',
        cause,
      });
    }
    head = await readHead(path, headBytes);
    if (head.length === 0)
      throw new IngotError('EmptyDataset', `${name} has nothing inside its gzip.`, { where: name, fix: 'Upload a file with rows.' });
  }
  const about = { name, bytes, compression } as const;
  if (isParquet(head)) return openParquet(database, path, { ...about, format: 'parquet' });
  const foreign = foreignFormat(head);
  if (foreign !== undefined) {
    throw new IngotError('UnreadableDataset', `${name} is ${foreign}, not a table that can be read.`, {
      where: name,
      fix: 'Upload csv, tsv, json, json lines or parquet; each may be gzipped.',
    });
  }
  const encoding = input.spec.encoding === 'utf-16' ? utf16Of(head) : (input.spec.encoding ?? detectEncoding(head));
  const text = decode(head, encoding);
  if (text.trim() === '')
    throw new IngotError('EmptyDataset', `${name} has only blank lines.`, { where: name, fix: 'Upload a file with rows.' });
  if (isJsonLines(text)) return openJson(input, { ...about, format: 'jsonl', encoding }, lineRecords(lineBatches(path, encoding)));
  if (isJson(text, name)) return openJson(input, { ...about, format: 'json', encoding }, jsonRecords(name, utf8Chunks(path, encoding)));
  return openDelimited(input, path, about, text, encoding, head.length < headBytes);
}

const utf16Of = (head: Uint8Array): Encoding => (detectEncoding(head) === 'utf-16be' ? 'utf-16be' : 'utf-16le');

async function openParquet(database: DuckDBConnection, path: string, file: SourceFile): Promise<Source> {
  const { size } = await stat(path);
  const broken = (cause?: unknown) =>
    new IngotError('UnreadableDataset', `${file.name} is parquet that is cut off or damaged.`, {
      where: file.name,
      fix: 'Write the file again and upload it whole.',
      cause,
    });
  if (!isParquet(await readTail(path, size, 4))) throw broken();
  try {
    const columns = await rowsOf(database, `DESCRIBE FROM read_parquet(${literal(path)})`);
    // Lists and structs become JSON, as they are in JSON lines and in requests.
    const nested = columns.filter(([, type]) => /^(STRUCT|MAP)\(|\[\d*\]$/.test(String(type))).map(([name]) => identifier(String(name)));
    const asJson = nested.length > 0 ? ` REPLACE (${nested.map((name) => `to_json(${name}) AS ${name}`).join(', ')})` : '';
    const text = 'CAST(COLUMNS(*) AS VARCHAR)';
    const tidied = `CASE WHEN starts_with(${text}, '${byteOrderMark}') THEN ltrim(${text}, '${byteOrderMark}') ELSE ${text} END`;
    return {
      file,
      names: columns.map(([name]) => String(name)),
      sql: `(SELECT ${tidied} FROM (SELECT *${asJson} FROM read_parquet(${literal(path)})))`,
    };
  } catch (cause) {
    throw broken(cause);
  }
}

async function openJson(input: SourceInput, file: SourceFile, records: AsyncIterable<JsonRecord[]>): Promise<Source> {
  const { name, rejects } = input;
  const to = join(input.directory, `rows-${input.index}.csv`);
  const output = createWriteStream(to);
  let table: JsonTable;
  let rejected: Reject | undefined;
  try {
    table = await readJson(
      records,
      (line) => output.write(line),
      (reject) => {
        if (file.format === 'json') checkThatItHidesNone(name, reject);
        rejected ??= reject;
        rejects.add(name, `${reject.field}`, reject);
      },
      () => drained(output),
    );
  } finally {
    output.end();
    await finished(output);
  }
  if (table.only) checkThatItIsARow(name, table.only, (input.spec.files?.length ?? 1) === 1);
  if (table.names.length === 0) throw rejected ? noObjects(name, rejects.countOf(name), rejected) : noRows(name);
  return {
    file,
    names: table.names,
    order: table.order,
    sql: csvSql(to, table.names.length, { delimiter: ',', quote: '"', header: false, ragged: true, ours: true }),
  };
}

function openDelimited(
  input: SourceInput,
  path: string,
  about: { name: string; bytes: number; compression: 'none' | 'gzip' },
  text: string,
  encoding: Encoding,
  wholeFile: boolean,
): Promise<Source> | Source {
  const hint = /\.tsv(\.gz)?$/i.test(input.name) && text.includes('\t') ? { delimiter: '\t' } : {};
  const dialect = detectDialect(text.replace(/^\uFEFF/, ''), { ...hint, ...input.spec }, wholeFile);
  const { delimiter, quote, header, width } = dialect;
  const file: SourceFile = { ...about, format: delimiter === '\t' ? 'tsv' : 'csv', encoding, delimiter, quote, header };
  const names = header ? dialect.names : Array.from({ length: width }, (_, column) => `column${column + 1}`);
  const repair = () => repairDelimited(input, path, dialect, { file, names });
  // What DuckDB can't read in parallel, or would read in another way than we do, is read record by record at once.
  if (
    encoding !== 'utf-8' ||
    width < 2 ||
    !text.includes('\n') ||
    text.includes('\0') ||
    /^\uFEFF?[ \t]*[\r\n]/.test(text) ||
    delimiterLine.test(firstLine(text))
  )
    return repair();
  return { file, names, sql: csvSql(path, width, { delimiter, quote, header }), repair, text: { path, delimiter, quote, header, width } };
}

const firstLine = (text: string) => text.split(/[\r\n]/, 1)[0]!;

async function repairDelimited(
  input: SourceInput,
  path: string,
  dialect: Dialect,
  source: { file: SourceFile; names: string[] },
): Promise<Source> {
  const { delimiter, width, header } = dialect;
  const to = join(input.directory, `rows-${input.index}.csv`);
  const read = async (encoding: Encoding) => {
    const output = createWriteStream(to);
    const seen = { rows: 0, spans: false, invalid: 0, international: false };
    input.rejects.restart(input.name);
    try {
      await readRecords(
        lineBatches(path, encoding),
        dialect,
        (line, fields) => {
          seen.rows++;
          seen.spans ||= line === undefined && fields.some((field) => /[\r\n]/.test(field));
          output.write(line === undefined ? formatRecord(fields, delimiter) : line);
          output.write('\n');
        },
        (reject) => {
          if (reject.reason === 'invalid encoding') seen.invalid++;
          input.rejects.add(input.name, source.names[reject.field - 1] ?? `${reject.field}`, reject);
        },
        () => drained(output),
      );
    } finally {
      output.end();
      await finished(output);
    }
    return seen;
  };
  let encoding = source.file.encoding as Encoding;
  let seen = await read(encoding);
  // Where every row with a character beyond ASCII is invalid UTF-8, the file is no UTF-8 at all.
  if (encoding === 'utf-8' && input.spec.encoding === undefined && seen.invalid > Math.max(2, seen.rows / 1000)) {
    encoding = 'latin-1';
    seen = await read(encoding);
  }
  if (seen.rows === 0) throw noRows(input.name, header, input.rejects.countOf(input.name));
  const file = { ...source.file, encoding };
  return { file, names: source.names, sql: csvSql(to, width, { delimiter, quote: '"', header: false, ours: true, parallel: !seen.spans }) };
}

function noRows(name: string, header = false, rejected = 0): IngotError {
  if (rejected > 0) {
    return new IngotError('EmptyDataset', `Not one of the ${rejected} rows of ${name} can be read.`, {
      where: name,
      fix: 'rejects.csv says for each row what is wrong; set delimiter, header or encoding in dataset.json where they were misread.',
    });
  }
  return new IngotError('EmptyDataset', header ? `${name} has a header and no rows.` : `${name} has no rows.`, {
    where: name,
    fix: 'Upload a file with a row for each example.',
  });
}

const drained = async (output: WriteStream) => {
  if (output.writableNeedDrain) await new Promise<void>((resolve) => output.once('drain', resolve));
};

/** Columns are c0, c1 …; `ragged` rows lack their last fields where those are missing; a file of `ours` ends its lines with LF. */
function csvSql(
  path: string,
  width: number,
  options: { delimiter: string; quote: string; header: boolean; ragged?: boolean; ours?: boolean; parallel?: boolean },
): string {
  const columns = Array.from({ length: width }, (_, column) => `'c${column}': 'VARCHAR'`).join(', ');
  return `read_csv(${literal(path)}, auto_detect = false, columns = {${columns}}, delim = ${literal(options.delimiter)}, quote = ${literal(options.quote)},
    escape = ${literal(options.quote)}, header = ${options.header}, null_padding = ${options.ragged ?? false}, parallel = ${options.parallel ?? !options.ragged}${options.ours ? ", new_line = '\\n'" : ''})`;
}
