/** The explainers of the models in memory, each made when it is first asked for. */
import { IngotError } from '../errors.ts';
import { modelKeys } from '../keys.ts';
import type { ObjectStore } from '../object-store.ts';
import type { ServedModel } from '../registry/model-cache.ts';
import type { Predictor } from '../serving/session.ts';
import { decodeExplainData } from './explain-file.ts';
import { Explainer } from './explainer.ts';

/** Gone with its model. */
const explainers = new WeakMap<Predictor, Promise<Explainer>>();

/** @throws IngotError NotFound where the version was registered without explanations */
export function explainerOf({ name, version, predictor }: ServedModel, models: ObjectStore): Promise<Explainer> {
  const known = explainers.get(predictor);
  if (known) return known;
  const made = load(models, name, version);
  explainers.set(predictor, made);
  made.catch(() => explainers.delete(predictor));
  return made;
}

async function load(models: ObjectStore, name: string, version: number): Promise<Explainer> {
  const object = await models.get(modelKeys.explain(name, version));
  const data = object && decodeExplainData(object.body);
  if (data) return new Explainer(data);
  throw new IngotError('NotFound', `Version ${version} of '${name}' has nothing to explain its answers by.`, {
    where: 'query explain',
    fix: 'It was registered by another Ingot: upload the dataset again, or leave explain out.',
  });
}
