/** A model's graph, asked by onnxruntime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { FittedModel, Matrix } from '../../core/models/model.ts';
import { OnnxGraph } from '../../core/onnx/graph.ts';

export function graphOf(model: Pick<FittedModel, 'toOnnx'>, columns: number): Uint8Array {
  const graph = new OnnxGraph(['answer']);
  const input = graph.input('features', 'float', ['N', columns]);
  graph.output('answer', model.toOnnx(graph, input), 'float', ['N', 'K']);
  return graph.toBytes({});
}

/** Row-major, as onnxruntime wants it. */
export function rowMajor({ rows, columns, data }: Matrix): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)]!);
}

export async function askGraph(model: Pick<FittedModel, 'toOnnx'>, x: Matrix): Promise<Float32Array> {
  const session = await InferenceSession.create(graphOf(model, x.columns));
  const answers = await session.run({ features: new Tensor('float32', rowMajor(x), [x.rows, x.columns]) });
  const { data } = answers['answer']!;
  await session.release();
  return data as Float32Array;
}

/** Rows of values that lie on, just above and just below the values of `x`, halfway between neighbours, and far outside; and NaN. */
export function edgeRows(x: Matrix): Matrix {
  const columns = Array.from({ length: x.columns }, (_, column) => {
    const values = [...new Set(x.data.subarray(column * x.rows, (column + 1) * x.rows))].sort((a, b) => a - b);
    const beside = values.flatMap((value, i) => [
      value,
      next(value, 1),
      next(value, -1),
      ((value + (values[i + 1] ?? value)) / 2) as number,
      next(Math.fround((value + (values[i + 1] ?? value)) / 2), 1),
    ]);
    return [...beside, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38];
  });
  const rows = Math.max(...columns.map((values) => values.length));
  const data = new Float32Array(rows * x.columns);
  columns.forEach((values, column) => {
    // Columns of fewer values begin again, at another place, so that they meet all of the others'.
    for (let row = 0; row < rows; row++) data[column * rows + row] = values[(row * (column + 1)) % values.length]!;
  });
  return { rows, columns: x.columns, names: x.names, data };
}

/** The neighbouring float32. */
function next(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value === 0 ? 0 : value);
  if (value === 0) return direction * 2 ** -149;
  view.setInt32(0, view.getInt32(0) + (value > 0 ? direction : -direction));
  return view.getFloat32(0);
}
