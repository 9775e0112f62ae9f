/** A small model to serve: probabilities of "no" and "yes" from the features' sum. */

import type { Preprocess } from '../../core/features/preprocess.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { loadModel, type Predictor } from '../../core/serving/session.ts';
import { type Cells, fitCells } from '../features/tables.ts';

export const columns: Cells[] = [
  { name: 'age', type: 'number', cells: [20, 40, 60, null] },
  { name: '__proto__', type: 'number', cells: [1, 2, 3, 4] },
  { name: 'sex', type: 'category', cells: ['male', 'female', 'male', null] },
  { name: 'toString', type: 'boolean', cells: ['true', 'false', 'true', null] },
];

export function serve(changes: Partial<Preprocess> = {}, cells = columns): Promise<Predictor> {
  const fitted = fitCells(cells, { age: { missingTokens: { '-9': 1 }, strays: ['> 90'] } });
  const preprocess: Preprocess = { ...fitted, ignored: ['id', 'constructor'], ...changes };
  return loadModel(
    buildModelGraph({
      preprocess,
      metadata: { model: 'tiny' },
      model: {
        toOnnx: (graph, x) => {
          const yes = graph.node('Sigmoid', [graph.node('ReduceSum', [x, graph.int64s([1])])]);
          if (preprocess.task === 'regression') return yes;
          return graph.node('Concat', [graph.node('Sub', [graph.floats([1]), yes]), yes], { axis: { int: 1 } });
        },
      },
    }),
  );
}
