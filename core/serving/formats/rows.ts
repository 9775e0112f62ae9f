/** `{"rows": [{"column": value, …}, …]}`, or the list alone: the JSON of `POST /models/{m}/predict`. */
import { listField, putRecord, type RawRows, type RowSchema } from '../rows.ts';

/** @throws IngotError InvalidRequest, InvalidRow (`where` as rows[3].age, of a list alone as [3].age) */
export function parseRows(body: unknown, schema: RowSchema): RawRows {
  if (Array.isArray(body)) return parseRecords(body, '', schema);
  return parseRecords(listField(body, 'rows'), 'rows', schema);
}

/** @param field the list's place in the body, for errors */
export function parseRecords(records: readonly unknown[], field: string, schema: RowSchema): RawRows {
  const rows = schema.allocate(records.length);
  for (let row = 0; row < records.length; row++) {
    putRecord(schema, rows, row, records[row], (name) => (name === undefined ? `${field}[${row}]` : `${field}[${row}].${name}`));
  }
  return rows;
}
