export { begin, layout } from './job';
export { fillBins, findEdges } from './binning';
export { growTree } from './grow';
export { addPredictions } from './walk';
export { nodeRights, nodeSplits, nodeValues, sums } from './job';
