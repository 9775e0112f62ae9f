/** Writes the documents that are made from code: `node docs/generate.ts`. A test holds them against the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { errorCodes } from '../core/errors.ts';
import { datasetSpecSchema } from '../core/spec.ts';

function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning} |`);
  return `# Errors

Every error of the API, of a rejected dataset and of a failed run has one shape, \`{"error": {"code", "message", "where"?, "fix"?}}\`: what is wrong, where, and
what you can do. Made from \`core/errors.ts\` by \`node docs/generate.ts\`.

| code | status | meaning |
| --- | --- | --- |
${rows.join('\n')}
`;
}

const fields: Record<keyof typeof datasetSpecSchema.shape, string> = {
  $schema: 'Where this schema lies, for editors.',
  files: 'File names beside dataset.json that together are the dataset, in order. Upload dataset.json last: it starts the cleaning.',
  target: 'The column to predict. By default the last one.',
  task: 'Inferred from the target where it is left out.',
  columns: 'By column name: its role and its type, where what is inferred is wrong.',
  missing: 'Further strings that mean that a value is missing.',
  header: 'Whether the first line names the columns. Inferred where it is left out.',
  delimiter: 'The character between the values of a line. Inferred where it is left out.',
  encoding: 'Inferred where it is left out.',
  metric: 'What candidates are ranked by. By default accuracy, or R² for a regression.',
  families: 'The families of models to try. By default forest alone.',
  grids: 'By family: the values to try of each parameter; null means none. Parameters that are left out keep their default grid.',
  folds: 'Of the cross-validation. By default 5.',
  testFraction: 'The share of rows that is held out for the final test. By default 0.2.',
  duplicates:
    'Whether of rows that are equal in every column all but the first are dropped (the default) or kept (the default where more than half of the rows equal an earlier one).',
  budget:
    'Dollars and minutes that a run may take, from features to release. It stops within them with the best model so far; the card says what was left out. By the prices of core/compute/prices.ts, jobs of Batch at that on demand.',
  lane: 'What the run is done on: `lambda` (functions), `cpu` or `gpu` (machines of Batch). By default the smallest that can do the work in time; GET /runs/{id} says which, and why.',
  priority: '0 (whenever) to 100 (urgent), by which the jobs of Batch are queued. By default 50. Functions do not queue.',
  seed: 'The same data, seed and version of Ingot give the same model, byte for byte. By default 0.',
};

function datasetSchema(): string {
  const { properties = {}, ...rest } = z.toJSONSchema(datasetSpecSchema, { io: 'input' });
  const described = Object.entries(fields).map(([name, description]) => [name, { description, ...(properties[name] as object) }]);
  return `${JSON.stringify({ title: 'dataset.json of Ingot', ...rest, properties: Object.fromEntries(described) }, null, 2)}\n`;
}

/** File name in docs/ → text. */
export const generated = { 'errors.md': errorsPage(), 'dataset.schema.json': datasetSchema() };

if (import.meta.main) {
  for (const [name, text] of Object.entries(generated)) writeFileSync(join(import.meta.dirname, name), text);
}
