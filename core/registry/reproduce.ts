/** How to make a version again: the files, a dataset.json that tries nothing but what was chosen, and the commands. */
import type { Params } from '../models/model.ts';
import type { Plan } from '../search/plan.ts';
import { type DatasetSpec, familyNames } from '../spec.ts';
import type { RevisionOrigin } from './identity.ts';

export interface Reproduction {
  /** Ingot's version, by which the same data and spec give the same bytes. */
  ingot: string;
  files: RevisionOrigin['files'];
  /** The dataset.json of this run, word for word: a revision is named by it, and so it makes this very graph again, to the byte. */
  spec: DatasetSpec;
  /**
   * One candidate alone, the chosen one, and what was left to Ingot written out: the same model at a fraction of the time, in a graph that names another
   * revision. Not of a mixture, which the search makes.
   */
  chosen?: DatasetSpec;
  /** Where that may come out otherwise. */
  unless?: string;
  commands: string[];
}

/** A budget of dollars is one of minutes. */
const clocked =
  'The run had a budget: where the clock ends a search or a fit before its work is done, another machine, or a busier one, gets less far or farther.';

export function reproductionOf(
  { dataset, spec: asked, files, source }: RevisionOrigin,
  { version, metric, folds, seed, coverage }: Pick<Plan, 'version' | 'metric' | 'folds' | 'seed' | 'coverage'>,
  { family, params }: { family: string; params: Params },
): Reproduction {
  const settled = { metric, folds, seed, coverage };
  const { budget, grids: _, ...unbound } = asked;
  const grid = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, [value]]));
  const folder = `s3://<DataBucket>/raw/${dataset}/`;
  const upload = files.map(({ name }) => `aws s3 cp ${quoted(name)} ${quoted(`${folder}${name}`)}`);
  const versionId = source.versionId === undefined ? '' : ` --version-id ${quoted(source.versionId)}`;
  return {
    ingot: version,
    files,
    spec: asked,
    ...(isFamily(family) && { chosen: { ...unbound, ...settled, search: 'grid', families: [family], grids: { [family]: grid } as never } }),
    ...(budget && { unless: clocked }),
    commands: [
      `aws s3api get-object --bucket <DataBucket> --key ${quoted(source.key)}${versionId} ${quoted(source.key.split('/').at(-1)!)}`,
      'npm ci && npm start',
      `printf %s ${quoted(JSON.stringify(asked))} > dataset.json`,
      `aws s3 cp dataset.json ${quoted(`${folder}dataset.json`)}`,
      ...upload,
    ],
  };
}

const isFamily = (name: string): name is (typeof familyNames)[number] => (familyNames as readonly string[]).includes(name);

function quoted(text: string): string {
  return /^[\w./:<>=-]+$/.test(text) && !/[<>]/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
