/** `{"input_data": [[value, …], …]}` in column order → `{"output_data": [[…], …]}`, the JSON of `POST /predict`. */
import type { Predictions } from '../../models/model.ts';
import { listField, putList, type RawRows, type RowSchema } from '../rows.ts';

/** @throws IngotError InvalidRequest, InvalidRow (`where` as input_data[3][0]) */
export function parseInputData(body: unknown, schema: RowSchema): RawRows {
  return parseLists(listField(body, 'input_data'), 'input_data', schema);
}

/** @param field the list's place in the body, for errors */
export function parseLists(lists: readonly unknown[], field: string, schema: RowSchema): RawRows {
  const rows = schema.allocate(lists.length);
  for (let row = 0; row < lists.length; row++) putList(schema, rows, row, lists[row], () => `${field}[${row}]`);
  return rows;
}

/** For each row the class probabilities, or a list of the value alone. */
export function answerInputData(predictions: Predictions): { output_data: number[][] } {
  if (predictions.task === 'regression') return { output_data: Array.from(predictions.values, (value) => [value]) };
  const { classes, probabilities } = predictions;
  const rows = probabilities.length / classes;
  return { output_data: Array.from({ length: rows }, (_, row) => Array.from(probabilities.subarray(row * classes, (row + 1) * classes))) };
}
