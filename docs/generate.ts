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

function datasetSchema(): string {
  const schema = z.toJSONSchema(datasetSpecSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'dataset.json of Ingot', ...schema }, null, 2)}\n`;
}

/** File name in docs/ → text. */
export const generated = { 'errors.md': errorsPage(), 'dataset.schema.json': datasetSchema() };

if (import.meta.main) {
  for (const [name, text] of Object.entries(generated)) writeFileSync(join(import.meta.dirname, name), text);
}
