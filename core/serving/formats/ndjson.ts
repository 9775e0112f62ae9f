/** One JSON object a line (application/x-ndjson). */
import { IngotError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { putRecord, type RawRows, type RowSchema } from '../rows.ts';

/** Blank lines are passed over. @throws IngotError InvalidRequest, InvalidRow (`where` as "line 4, column age") */
export function parseNdjson(text: string, schema: RowSchema): RawRows {
  const records: { record: unknown; line: number }[] = [];
  text.split('\n').forEach((content, i) => {
    if (content.trim() === '') return;
    const record = parseJson(
      content,
      ({ what, cause }) =>
        new IngotError('InvalidRequest', `Line ${i + 1} is not valid JSON: ${what}.`, {
          where: `line ${i + 1}`,
          fix: 'Send one JSON object a line.',
          cause,
        }),
    );
    records.push({ record, line: i + 1 });
  });
  const rows = schema.allocate(records.length);
  records.forEach(({ record, line }, row) => {
    putRecord(schema, rows, row, record, (field) => (field === undefined ? `line ${line}` : `line ${line}, column ${field}`));
  });
  return rows;
}
