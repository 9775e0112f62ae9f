/**
 * `POST /invocations`, by which SageMaker and MLflow call a container: CSV without a header (SageMaker) → a label or value a line; or
 * MLflow's `dataframe_split`, `dataframe_records`, `instances` or `inputs` → `{"predictions": [label or value, …]}`.
 */
import { IngotError } from '../../errors.ts';
import type { RawRows, RowSchema } from '../rows.ts';
import { parseJsonBody, putRecord } from '../rows.ts';
import type { Label, Prediction } from '../session.ts';
import { parseCsv } from './csv.ts';
import { parseLists } from './input-data.ts';
import { parseRecords } from './rows.ts';

const inputFields = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/** @param contentType without parameters; @throws IngotError InvalidRequest, InvalidRow, UnsupportedMediaType */
export function parseInvocation(contentType: string, text: string, schema: RowSchema): RawRows {
  if (contentType === 'text/csv') return parseCsv(text, schema, { header: 'auto' });
  if (contentType === 'application/json') return parseMlflow(parseJsonBody(text), schema);
  throw new IngotError('UnsupportedMediaType', `/invocations does not read '${contentType}'.`, {
    where: 'Content-Type',
    fix: 'Send text/csv or application/json.',
  });
}

function parseMlflow(body: unknown, schema: RowSchema): RawRows {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const field = inputFields.find((name) => Object.hasOwn(fields, name));
  if (field === undefined) {
    throw new IngotError('InvalidRequest', 'The body has none of the fields that hold rows.', {
      where: 'body',
      fix: `Send one of ${inputFields.join(', ')}.`,
    });
  }
  const value = fields[field];
  if (field === 'dataframe_split') return parseSplit(value, schema);
  if (Array.isArray(value)) return Array.isArray(value[0]) ? parseLists(value, field, schema) : parseRecords(value, field, schema);
  if (typeof value === 'object' && value !== null && field === 'inputs') return parseColumnLists(value as Record<string, unknown>, schema);
  throw new IngotError('InvalidRequest', `The field '${field}' is not a list of rows.`, { where: field, fix: 'Send a list of rows.' });
}

/** `{"columns": [name, …], "data": [[value, …], …]}` as pandas' `to_dict("split")`; its `index` is passed over. */
function parseSplit(value: unknown, schema: RowSchema): RawRows {
  const { columns, data } = (typeof value === 'object' && value !== null ? value : {}) as { columns?: unknown; data?: unknown };
  if (!Array.isArray(data)) {
    throw new IngotError('InvalidRequest', 'dataframe_split has no list of rows.', {
      where: 'dataframe_split.data',
      fix: 'Send {"dataframe_split": {"columns": [name, …], "data": [[value, …], …]}}.',
    });
  }
  if (!Array.isArray(columns)) return parseLists(data, 'dataframe_split.data', schema);
  const rows = schema.allocate(data.length);
  data.forEach((values: unknown, row) => {
    const where = `dataframe_split.data[${row}]`;
    if (!Array.isArray(values) || values.length !== columns.length) {
      throw new IngotError('InvalidRow', 'The row is not a list with a value for each of dataframe_split.columns.', {
        where,
        fix: `Send ${columns.length} values a row.`,
      });
    }
    const record = Object.fromEntries(columns.map((name, i) => [String(name), values[i]]));
    putRecord(schema, rows, row, record, (name) => (name === undefined ? where : `${where}, column ${name}`));
  });
  return rows;
}

/** `{"column": [value, …], …}`, as TensorFlow Serving's columnar form. */
function parseColumnLists(columns: Record<string, unknown>, schema: RowSchema): RawRows {
  const entries = Object.entries(columns);
  const length = Array.isArray(entries[0]?.[1]) ? entries[0][1].length : 0;
  const records = Array.from({ length }, (_, row) =>
    Object.fromEntries(
      entries.map(([name, values]) => {
        if (Array.isArray(values) && values.length === length) return [name, Array.isArray(values[row]) ? values[row][0] : values[row]];
        throw new IngotError('InvalidRequest', `The column '${name}' is not a list of ${length} values.`, {
          where: `inputs.${name}`,
          fix: 'Send lists of one length, a list a column.',
        });
      }),
    ),
  );
  return parseRecords(records, 'inputs', schema);
}

export function answerInvocation(contentType: string, predictions: readonly Prediction[]): { contentType: string; body: string } {
  const answers: Label[] = predictions.map((prediction) => ('value' in prediction ? prediction.value : prediction.label));
  if (contentType !== 'text/csv') return { contentType: 'application/json', body: JSON.stringify({ predictions: answers }) };
  const lines = answers.map((answer) => {
    const text = String(answer);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return { contentType, body: `${lines.join('\n')}\n` };
}
