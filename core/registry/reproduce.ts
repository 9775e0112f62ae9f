/** How to make a version again: the files, a dataset.json that tries nothing but what was chosen, and the commands. */
import type { Params } from '../models/model.ts';
import type { Plan } from '../search/plan.ts';
import { type DatasetSpec, familyNames } from '../spec.ts';
import type { RevisionOrigin } from './identity.ts';

export interface Reproduction {
  /** Ingot's version, by which the same data and spec give the same bytes. */
  ingot: string;
  files: RevisionOrigin['files'];
  /** The dataset.json of this run, with what it left to Ingot written out: it makes this very version again. */
  spec: DatasetSpec;
  /** The same with one candidate, the chosen one: the same model at a fraction of the time. Not of a mixture, which the search makes. */
  chosen?: DatasetSpec;
  commands: string[];
}

export function reproductionOf(
  { dataset, spec: asked, files, source }: RevisionOrigin,
  plan: Pick<Plan, 'version' | 'metric' | 'folds' | 'seed' | 'coverage'>,
  { family, params }: { family: string; params: Params },
): Reproduction {
  const { metric, folds, seed, coverage } = plan;
  const spec: DatasetSpec = { ...asked, metric, folds, seed, coverage };
  const { budget: _, grids: __, ...unbound } = spec;
  const grid = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, [value]]));
  const folder = `s3://<DataBucket>/raw/${dataset}/`;
  const upload = files.map(({ name }) => `aws s3 cp ${quoted(name)} ${quoted(`${folder}${name}`)}`);
  const version = source.versionId === undefined ? '' : ` --version-id ${quoted(source.versionId)}`;
  return {
    ingot: plan.version,
    files,
    spec,
    ...(isFamily(family) && { chosen: { ...unbound, search: 'grid', families: [family], grids: { [family]: grid } as never } }),
    commands: [
      `aws s3api get-object --bucket <DataBucket> --key ${quoted(source.key)}${version} ${quoted(source.key.split('/').at(-1)!)}`,
      'npm ci && npm start',
      `aws s3 cp dataset.json ${quoted(`${folder}dataset.json`)}`,
      ...upload,
    ],
  };
}

const isFamily = (name: string): name is (typeof familyNames)[number] => (familyNames as readonly string[]).includes(name);

function quoted(text: string): string {
  return /^[\w./:<>=-]+$/.test(text) && !/[<>]/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
