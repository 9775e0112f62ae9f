/**
 * Versions of a model: written once, under a number that is claimed with `If-None-Match: *`.
 *
 *     claim.json  →  model.onnx, explain.bin, baseline.json  →  card.json
 *
 * The claim holds the run's id, so a run that died after its claim finds the claim and finishes it. The card comes last: a version
 * without a card does not exist for anybody who looks. A run that never comes back leaves a hole in the numbers and nothing else.
 */
import { modelKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';
import type { ModelCard } from './card.ts';

interface Claim {
  run: string;
  at: string;
}

/**
 * The version number of a run: the one that it claimed before, or the next free one. Of the claims only those are read that came after the
 * run's record, by the store's own clock.
 */
export async function claimVersion(models: ObjectStore, model: string, run: string, now: Date): Promise<number> {
  let began = 0;
  for await (const { key, lastModified } of models.list(modelKeys.run(run))) if (key === modelKeys.run(run)) began = lastModified.getTime();
  let highest = 0;
  const recent: number[] = [];
  for await (const { key, lastModified } of models.list(modelKeys.versions(model))) {
    const version = numberOf(model, key, 'claim.json');
    if (version === undefined) continue;
    highest = Math.max(highest, version);
    if (lastModified.getTime() >= began) recent.push(version);
  }
  const isMine = async (version: number) => (await getJson<Claim>(models, modelKeys.claim(model, version)))?.run === run;
  for (const version of recent.sort((a, b) => b - a)) if (await isMine(version)) return version;
  for (let version = highest + 1; ; version++) {
    const claim: Claim = { run, at: now.toISOString() };
    if (await putJson(models, modelKeys.claim(model, version), claim, { ifNoneMatch: '*' })) return version;
    // Somebody was faster: another run, or this run's twin.
    if (await isMine(version)) return version;
  }
}

/** Writes the files of a claimed version, its card last. Writing them again changes nothing. @param explain what explanations need */
export async function publishVersion(
  models: ObjectStore,
  card: ModelCard,
  graph: Uint8Array,
  baseline: unknown,
  explain?: Uint8Array,
): Promise<void> {
  const { model, version } = card;
  const once = { ifNoneMatch: '*' } as const;
  await models.put(modelKeys.model(model, version), graph, { contentType: 'application/octet-stream', condition: once });
  if (explain) {
    await models.put(modelKeys.explain(model, version), explain, { contentType: 'application/octet-stream', condition: once });
  }
  await putJson(models, modelKeys.baseline(model, version), baseline, once);
  await putJson(models, modelKeys.card(model, version), card, once);
}

/** The numbers of the whole versions, ascending. */
export async function listVersions(models: ObjectStore, model: string): Promise<number[]> {
  const versions: number[] = [];
  for await (const { key } of models.list(modelKeys.versions(model))) {
    const version = numberOf(model, key, 'card.json');
    if (version !== undefined) versions.push(version);
  }
  return versions.sort((a, b) => a - b);
}

export function getCard(models: ObjectStore, model: string, version: number): Promise<ModelCard | undefined> {
  return getJson<ModelCard>(models, modelKeys.card(model, version));
}

/** The names of the models that have anything registered, in order. */
export async function listModels(models: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for await (const name of models.listFolders(modelKeys.models)) names.push(name);
  return names.sort();
}

function numberOf(model: string, key: string, file: string): number | undefined {
  const match = /^([1-9]\d*)\/(.+)$/.exec(key.slice(modelKeys.versions(model).length));
  return match?.[2] === file ? Number(match[1]) : undefined;
}
