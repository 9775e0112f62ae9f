/**
 * Models in memory, and which of them an alias means. A pointer is looked at again when it is half a second old, beside the request, and
 * before the request once it is a second old: so busy or idle, a release shows up within about a second, and busy callers do not wait for it.
 */
import { IngotError } from '../errors.ts';
import { modelKeys } from '../keys.ts';
import type { ObjectStore } from '../object-store.ts';
import { loadModel, type Predictor } from '../serving/session.ts';
import { getAlias } from './aliases.ts';
import { listModels } from './versions.ts';

export interface ServedModel {
  name: string;
  version: number;
  predictor: Predictor;
}

const refreshAfter = 500;
const staleAfter = 1000;
/** Looking at all models takes longer the more there are; it may take a twentieth of the time at most. */
const lookupShare = 1 / 20;
/** What stays in memory: at most so many versions, of so many bytes in all. A session takes two to three times its file. */
const defaultCapacity = { versions: 16, bytes: 200_000_000 };

interface Pointer<T> {
  value: T;
  readAt: number;
  /** How long reading it took. */
  took: number;
}

export class ModelCache {
  private readonly models: () => Promise<ObjectStore>;
  private readonly capacity: typeof defaultCapacity;
  private readonly pointers = new Map<string, Pointer<unknown>>();
  private readonly reading = new Map<string, Promise<unknown>>();
  private readonly loaded = new Map<string, Promise<ServedModel>>();
  private readonly sizes = new Map<string, number>();

  /** @param capacity what stays in memory; the longest unused goes, but never the one that was asked for last */
  constructor(models: () => Promise<ObjectStore>, capacity = defaultCapacity) {
    this.models = models;
    this.capacity = capacity;
  }

  /** The model that an alias means. @throws IngotError NotFound */
  async byAlias(name: string, alias = 'live'): Promise<ServedModel> {
    const version = await this.fresh(`${name}/${alias}`, async (store) => (await getAlias(store, name, alias))?.version);
    if (version !== undefined) return this.load(name, version);
    throw alias === 'live' ? noModel(name) : noAlias(name, alias);
  }

  /** @throws IngotError NotFound */
  async byVersion(name: string, version: number): Promise<ServedModel> {
    if (!this.loaded.has(`${name}/${version}`) && !(await (await this.models()).head(modelKeys.card(name, version)))) {
      throw new IngotError('NotFound', `The model '${name}' has no version ${version}.`, {
        where: 'version',
        fix: `GET /models/${name} lists the versions.`,
      });
    }
    return this.load(name, version);
  }

  /** The only model that is live, or the one that was put live last. @throws IngotError NotFound where there is none */
  async byDefault(): Promise<ServedModel> {
    const name = await this.fresh('', async (store) => {
      const names = await listModels(store);
      const moves = await Promise.all(
        names.map(async (model) => ({ model, at: (await getAlias(store, model, 'live'))?.history.at(-1)?.at })),
      );
      const live = moves.flatMap(({ model, at }) => (at === undefined ? [] : [{ model, at }]));
      return live.reduce((last, next) => (next.at > last.at ? next : last), live[0] ?? { model: undefined, at: '' }).model;
    });
    if (name !== undefined) return this.byAlias(name);
    throw new IngotError('NotFound', 'There is no model yet.', {
      fix: 'Upload a dataset and wait for its run: GET /runs shows how far it is.',
    });
  }

  /** What `read` finds, at most about a second old. */
  private async fresh<T>(key: string, read: (store: ObjectStore) => Promise<T>): Promise<T> {
    const pointer = this.pointers.get(key) as Pointer<T> | undefined;
    const age = pointer ? Date.now() - pointer.readAt : Number.POSITIVE_INFINITY;
    const patience = pointer ? Math.max(0, pointer.took / lookupShare - staleAfter) : 0;
    if (pointer && age < refreshAfter + patience) return pointer.value;
    const refresh = (this.reading.get(key) as Promise<T> | undefined) ?? this.read(key, read);
    if (pointer && age < staleAfter + patience) {
      // Whoever finds the pointer stale will see why it could not be read.
      refresh.catch(() => undefined);
      return pointer.value;
    }
    return refresh;
  }

  /** Reads a pointer once, however many ask meanwhile. */
  private read<T>(key: string, read: (store: ObjectStore) => Promise<T>): Promise<T> {
    const readAt = Date.now();
    const reading = this.models()
      .then(read)
      .then((value) => {
        // What is not there is not remembered: names that clients make up must not fill the memory.
        if (value === undefined) this.pointers.delete(key);
        else this.pointers.set(key, { value, readAt, took: Date.now() - readAt });
        return value;
      })
      .finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private load(name: string, version: number): Promise<ServedModel> {
    const key = `${name}/${version}`;
    const present = this.loaded.get(key);
    if (present && this.loaded.size === 1) return present;
    const model = present ?? this.fetch(name, version, key);
    // A Map keeps the order of insertion: the first is the longest unused.
    this.loaded.delete(key);
    this.loaded.set(key, model);
    return model;
  }

  private async fetch(name: string, version: number, key: string): Promise<ServedModel> {
    try {
      const object = await (await this.models()).get(modelKeys.model(name, version));
      if (!object) throw noModel(name);
      const predictor = await loadModel(object.body);
      this.sizes.set(key, object.body.length);
      this.evict();
      return { name, version, predictor };
    } catch (error) {
      this.loaded.delete(key);
      throw error;
    }
  }

  private evict(): void {
    let bytes = [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
    for (const [key, model] of this.loaded) {
      if (this.loaded.size <= 1 || (bytes <= this.capacity.bytes && this.loaded.size <= this.capacity.versions)) return;
      bytes -= this.sizes.get(key) ?? 0;
      this.loaded.delete(key);
      this.sizes.delete(key);
      model.then(({ predictor }) => predictor.dispose()).catch(() => undefined);
    }
  }
}

function noModel(name: string): IngotError {
  return new IngotError('NotFound', `There is no model '${name}'.`, { where: 'model', fix: 'GET /models lists the models.' });
}

function noAlias(name: string, alias: string): IngotError {
  return new IngotError('NotFound', `The model '${name}' has no alias '${alias}'.`, {
    where: 'alias',
    fix: `GET /models/${name} lists the aliases.`,
  });
}
