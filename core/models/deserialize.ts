import { EnsembleModel } from './ensemble/ensemble-model.ts';
import { familyOf } from './families.ts';
import type { FittedModel } from './model.ts';

/** A fitted model from its bytes, be it of a family or an ensemble of them. */
export function deserializeModel(family: string, bytes: Uint8Array): FittedModel {
  return family === 'ensemble' ? EnsembleModel.deserialize(bytes) : familyOf(family).deserialize(bytes);
}
