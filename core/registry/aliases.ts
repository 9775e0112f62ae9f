/**
 * Aliases: the only objects of the registry that change. Each keeps its whole history and moves by a conditional write, so of two
 * movers one wins and the other looks again.
 */
import { IngotError } from '../errors.ts';
import { modelKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';
import { compareSources, type DataSource } from './datasets.ts';
import { getCard } from './versions.ts';

export interface AliasMove {
  version: number;
  at: string;
  /** The run that released it, or `api`. */
  by: string;
  why: 'release' | 'set' | 'rollback';
  /** Of a release: the upload that brought it about. */
  source?: DataSource;
  /** Of a rollback: the place in the history of the move that it went back to. */
  restores?: number;
}

export interface Alias {
  version: number;
  /** Oldest first; the last one is where the alias stands. */
  history: AliasMove[];
}

export interface AliasState extends Alias {
  etag: string;
}

export async function getAlias(models: ObjectStore, model: string, alias: string): Promise<AliasState | undefined> {
  const object = await models.get(modelKeys.alias(model, alias));
  return object && { ...(JSON.parse(new TextDecoder().decode(object.body)) as Alias), etag: object.etag };
}

/** All aliases of a model by name. */
export async function listAliases(models: ObjectStore, model: string): Promise<Record<string, Alias>> {
  const aliases: [string, Alias][] = [];
  for await (const { key } of models.list(modelKeys.aliases(model))) {
    const alias = await getJson<Alias>(models, key);
    if (alias) aliases.push([key.slice(modelKeys.aliases(model).length, -'.json'.length), alias]);
  }
  return Object.fromEntries(aliases);
}

/**
 * Moves an alias to what `next` says, given where it stands.
 * @param next the move to make, or undefined to leave the alias alone; called again where somebody else moved it meanwhile
 * @param ifMatch the etag that the caller saw, or `*` for any state; a newer state refuses the move
 * @throws IngotError PreconditionFailed where ifMatch does not hold
 */
export async function moveAlias(
  models: ObjectStore,
  model: string,
  alias: string,
  next: (current: AliasState | undefined) => AliasMove | undefined | Promise<AliasMove | undefined>,
  ifMatch?: string,
): Promise<AliasState | undefined> {
  for (;;) {
    const current = await getAlias(models, model, alias);
    if (ifMatch !== undefined && (ifMatch === '*' ? !current : ifMatch !== current?.etag)) {
      throw new IngotError('PreconditionFailed', `The alias '${alias}' of ${model} is not in the state that If-Match names.`, {
        where: 'header If-Match',
        fix: `Read GET /models/${model}/aliases/${alias} again and repeat the call with its ETag.`,
      });
    }
    const move = await next(current);
    if (!move) return current;
    const moved: Alias = { version: move.version, history: [...(current?.history ?? []), move] };
    const etag = await putJson(models, modelKeys.alias(model, alias), moved, current ? { ifMatch: current.etag } : { ifNoneMatch: '*' });
    if (etag !== undefined) return { ...moved, etag };
  }
}

/** Points an alias at a version by hand. @throws IngotError NotFound, PreconditionFailed */
export async function setAlias(
  models: ObjectStore,
  model: string,
  alias: string,
  version: number,
  now: Date,
  ifMatch?: string,
): Promise<AliasState> {
  if (!(await getCard(models, model, version))) {
    throw new IngotError('NotFound', `The model '${model}' has no version ${version}.`, {
      where: 'field version',
      fix: `GET /models/${model} lists the versions.`,
    });
  }
  const moved = await moveAlias(models, model, alias, () => ({ version, at: now.toISOString(), by: 'api', why: 'set' }), ifMatch);
  return moved!;
}

/**
 * Goes back to the version that the alias pointed at before. Again goes back further: a rollback stands, in the history, at the
 * place of the move that it restored.
 * @throws IngotError NotFound where there is no such alias, Conflict where there is nothing to go back to
 */
export async function rollBack(models: ObjectStore, model: string, alias: string, now: Date, ifMatch?: string): Promise<AliasState> {
  const moved = await moveAlias(
    models,
    model,
    alias,
    (current) => {
      if (!current) throw new IngotError('NotFound', `The model '${model}' has no alias '${alias}'.`);
      const { history, version } = current;
      let place = history.at(-1)!.restores ?? history.length - 1;
      do place--;
      while (place >= 0 && history[place]!.version === version);
      if (place < 0) {
        throw new IngotError('Conflict', `The alias '${alias}' of ${model} has no version before ${version} to go back to.`, {
          fix: `Point it at a version by PUT /models/${model}/aliases/${alias}.`,
        });
      }
      const restores = history[place]!.restores ?? place;
      return { version: history[place]!.version, at: now.toISOString(), by: 'api', why: 'rollback', restores };
    },
    ifMatch,
  );
  return moved!;
}

/**
 * Points `live` at the version of a finished run, unless it already stands on the fruit of newer data: runs may finish in another
 * order than their data came. Of the same data (retrained by a newer product, say) the higher version wins. An upload releases once: where
 * a user has moved the alias since, a repeated release leaves it alone. Data that were learned before and are uploaded again start no run; their
 * version is released once more, by the new upload.
 * @param released.source the newest upload of what the run learned
 * @returns whether the version is, or was, put live by that upload
 */
export async function release(
  models: ObjectStore,
  model: string,
  { version, run, source }: { version: number; run: string; source: DataSource },
  now: Date,
): Promise<boolean> {
  const first = (await getCard(models, model, version))?.source;
  const isOurs = (move: AliasMove) => move.by === run && isSameSource(move.source ?? first, source);
  const alias = await moveAlias(models, model, 'live', async (current) => {
    if (current?.history.some(isOurs)) return undefined;
    const theirs = current && (current.history.at(-1)!.source ?? (await getCard(models, model, current.version))?.source);
    if (theirs && (compareSources(source, theirs) || version - current.version) <= 0) return undefined;
    return { version, at: now.toISOString(), by: run, why: 'release', source };
  });
  return alias!.history.some(isOurs);
}

const isSameSource = (a: DataSource | undefined, b: DataSource) => a !== undefined && a.key === b.key && compareSources(a, b) === 0;
