/** The functions of a run's stages: what each does and may touch. */
import type { FunctionName, Stage } from '../core/names.ts';
import type { Access } from './function.ts';

export const runs = { read: ['runs/'], write: ['runs/'] };
const runsAndModels = { read: ['runs/', 'models/'], write: ['runs/', 'models/'] };
const features = { read: ['features/'] };
const featuresAndTable = { read: ['clean/', 'features/'] };

/** What each stage's function does and may touch. A stage reads what earlier ones wrote under the run's own prefix. */
export const stageFunctions: Record<Stage, { name: FunctionName; description: string; minutes: number; access: Access }> = {
  Plan: {
    name: 'plan',
    description: 'Decides what a run tries',
    minutes: 2,
    access: { data: featuresAndTable, models: runs },
  },
  Search: {
    name: 'search',
    description: 'Tries the candidates of one trial',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Select: {
    name: 'select',
    description: 'Ranks the candidates and picks the best',
    minutes: 2,
    access: { models: runs },
  },
  Fit: {
    name: 'fit',
    description: 'Fits the best on all training rows and writes its graph',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Optimise: {
    name: 'optimise',
    description: 'Makes the graph smaller and faster',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Gate: {
    name: 'gate',
    description: 'Checks the graph against the model on every test row',
    minutes: 15,
    access: { data: featuresAndTable, models: runs },
  },
  Register: {
    name: 'register',
    description: 'Writes the immutable version',
    minutes: 2,
    access: { data: featuresAndTable, models: runsAndModels },
  },
  Release: {
    name: 'release',
    description: 'Moves the alias to the version',
    minutes: 2,
    access: { models: runsAndModels },
  },
};
