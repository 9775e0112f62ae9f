import { boosting } from '../../core/models/boosting/boosting.ts';
import { familyContract } from './contract.ts';

familyContract(boosting, {
  params: { nEstimators: 30, learningRate: 0.3, minSamplesLeaf: 5, subsample: 0.8 },
  seeded: true,
  orderless: { nEstimators: 10, minSamplesLeaf: 5, stochasticRounding: false },
});
