/** Writes the documents that are made from code: `node docs/generate.ts`. A test holds them against the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { errorCodes } from '../core/errors.ts';
import { boostingConstraints } from '../core/models/boosting/params.ts';
import { familyOf } from '../core/models/families.ts';
import { extraTreesConstraints, forestConstraints } from '../core/models/forest/params.ts';
import { linearConstraints } from '../core/models/linear/params.ts';
import { networkConstraints } from '../core/models/network/params.ts';
import { type Constraints, describeParams } from '../core/models/params.ts';
import { svmConstraints } from '../core/models/svm/params.ts';
import { datasetSpecSchema, familyNames } from '../core/spec.ts';

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

const constraints: Record<(typeof familyNames)[number], Constraints> = {
  forest: forestConstraints,
  extraTrees: extraTreesConstraints,
  linear: linearConstraints,
  svm: svmConstraints,
  boosting: boostingConstraints,
  network: networkConstraints,
};

function parametersPage(): string {
  const families = familyNames.map((name) => {
    const grid = Object.entries(familyOf(name).grid).map(([parameter, values]) => `${parameter} \`${JSON.stringify(values)}\``);
    return `## ${name}\n\nDefault grid: ${grid.join(', ')}.\n\n${describeParams(constraints[name])}\n`;
  });
  return `# Parameters

What \`"grids"\` in \`dataset.json\` may name, by family: \`{"families": ["boosting"], "grids": {"boosting": {"maxLeaves": [15, 31], "l2": [0, 1]}}}\` tries all combinations. A parameter
that is left out has the values of the default grid, where that names it, and else its default. Made from each family's table of constraints (\`core/models/\`) by
\`node docs/generate.ts\`.

${families.join('\n')}`;
}

const fields: Record<keyof typeof datasetSpecSchema.shape, string> = {
  $schema: 'Where this schema lies, for editors.',
  files: 'File names beside dataset.json that together are the dataset, in order. Upload dataset.json last: it starts the cleaning.',
  target: 'The column to predict. By default the last one.',
  task: 'Inferred from the metric or the target where it is left out.',
  columns:
    'By column name: its role and its type, where what is inferred is wrong; and of dates like 3/4/2026 whether the day comes first. The role feature also keeps a column that seems to give the target away.',
  missing: 'Further strings that mean that a value is missing.',
  header: 'Whether the first line names the columns. Inferred where it is left out.',
  delimiter: 'The character between the values of a line. Inferred where it is left out.',
  encoding: 'Inferred where it is left out.',
  metric:
    'What candidates are ranked by, and labels are decided for. By default log loss of an automatic search, accuracy of a grid, or R² for a regression.',
  classWeights:
    'What rows of a class count for in training: balanced (all classes together count the same), none (the default), or a factor by label, 1 for labels that are left out.',
  coverage: 'How often a prediction set or interval holds the truth. By default 0.9.',
  search:
    "'auto', the default, tries good starting points of the families and mixes the best; 'grid', the default where grids are given, tries every combination.",
  families: 'The families of models to try. By default all of an automatic search, forest alone of a grid.',
  grids:
    'By family: the values to try of each parameter (docs/parameters.md lists them); null means none. Parameters that are left out keep their default grid.',
  groups:
    'A column whose equal values tie rows together (a patient, a household): all of a group are on one side of every split. It is no feature.',
  time: 'A column that orders the rows in time, numbers or texts that sort so: the latest rows are held out, and a fold is validated on what comes after its train rows. It is no feature.',
  folds: 'Of the cross-validation. By default 5 of a grid, of an automatic search 2 to 8, by the size of the table and the budget.',
  testFraction: 'The share of rows that is held out for the final test. By default 0.2; 250,000 rows at most, and ten million cells.',
  duplicates:
    'Whether of rows that are equal in every column all but the first are dropped (the default) or kept (the default where more than half of the rows equal an earlier one).',
  pii: 'What becomes of personal data that are found (e-mail, telephone, card, account and identity numbers, names of persons, IP addresses): drop (the default) leaves the column out, and masks what is found inside longer text; hash keeps it in the clean table as a keyed hash to join by, but not as a feature; keep keeps it. columns says so of single columns, whether anything was found in them or not.',
  budget:
    'Dollars and minutes that a model may take, from the upload to the release (minutes from the start of the run, where jobs prepare the upload). It stops within them with the best model so far; the card says what was left out. By the prices of the deployment (docs/deploy.md), jobs of Batch at that on demand.',
  lane: 'What the run is done on: `lambda` (functions), `cpu` or `gpu` (machines of Batch; no family of models that is here makes use of a GPU). By default the smallest that can do the work in time; GET /runs/{id} says which, and why.',
  priority: '0 (whenever) to 100 (urgent), by which the jobs of Batch are queued. By default 50. Functions do not queue.',
  seed: 'The same data, seed and version of Ingot give the same model, byte for byte. By default 0.',
};

function datasetSchema(): string {
  const { properties = {}, ...rest } = z.toJSONSchema(datasetSpecSchema, { io: 'input' });
  const described = Object.entries(fields).map(([name, description]) => [name, { description, ...(properties[name] as object) }]);
  return `${JSON.stringify({ title: 'dataset.json of Ingot', ...rest, properties: Object.fromEntries(described) }, null, 2)}\n`;
}

/** File name in docs/ → text. */
export const generated = { 'errors.md': errorsPage(), 'parameters.md': parametersPage(), 'dataset.schema.json': datasetSchema() };

if (import.meta.main) {
  for (const [name, text] of Object.entries(generated)) writeFileSync(join(import.meta.dirname, name), text);
}
