/** The bodies that `POST /models/{m}/predict` reads: a format is a file in formats/ and a line here. */
import { IngotError } from '../errors.ts';
import { parseCsv } from './formats/csv.ts';
import { parseNdjson } from './formats/ndjson.ts';
import { parseRows } from './formats/rows.ts';
import { parseJsonBody, type RawRows, type RowSchema } from './rows.ts';

const formats: Record<string, (text: string, schema: RowSchema) => RawRows> = {
  'application/json': (text, schema) => parseRows(parseJsonBody(text), schema),
  'text/csv': parseCsv,
  'text/tab-separated-values': parseCsv,
  'application/x-ndjson': parseNdjson,
  'application/jsonl': parseNdjson,
};

/** @throws IngotError UnsupportedMediaType, and what the format throws */
export function parsePredict(contentType: string, text: string, schema: RowSchema): RawRows {
  if (Object.hasOwn(formats, contentType)) return formats[contentType]!(text, schema);
  throw new IngotError('UnsupportedMediaType', `The service does not read '${contentType}'.`, {
    where: 'Content-Type',
    fix: `Send ${Object.keys(formats).join(', ')}.`,
  });
}

/** A Content-Type header without its parameters, in lower case; JSON where there is none, or the one that `curl --data` sends unasked. */
export function mediaType(header: string | undefined): string {
  const type = (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return type === '' || type === 'application/x-www-form-urlencoded' ? 'application/json' : type;
}
