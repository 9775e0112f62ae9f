/**
 * Crosses: two numbers of the table made one, as what a tree can only approach by many splits. In float32, of the imputed numbers; where a ratio
 * is none (0 / 0) it is missing, and imputed in turn.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { impute } from './impute.ts';
import type { Preprocess, Standard } from './preprocess.ts';
import { fitStandard, transformStandard } from './standard.ts';

export const crossOperations = ['minus', 'times', 'over'] as const;

export interface Cross {
  operation: (typeof crossOperations)[number];
  /** The columns of the two numbers, as places among the preprocess's. */
  a: number;
  b: number;
}

export interface FittedCross extends Cross, Standard {
  name: string;
}

const operators = { minus: 'Sub', times: 'Mul', over: 'Div' } as const;
const signs = { minus: '−', times: '×', over: '÷' } as const;

/** @param x, y imputed numbers of the rows; each result is rounded to float32 once */
export function crossed(operation: Cross['operation'], x: Float32Array, y: Float32Array): Float32Array {
  const result = new Float32Array(x.length);
  for (let row = 0; row < result.length; row++) {
    const [a, b] = [x[row]!, y[row]!];
    result[row] = operation === 'minus' ? a - b : operation === 'times' ? a * b : a / b;
  }
  return result;
}

/** @param numbers of a column: its raw numbers in the train rows */
export function fitCross(cross: Cross, { columns }: Preprocess, numbers: (column: number) => Float32Array): FittedCross {
  const values = crossed(cross.operation, imputed(columns, cross.a, numbers), imputed(columns, cross.b, numbers));
  const name = `${columns[cross.a]!.name} ${signs[cross.operation]} ${columns[cross.b]!.name}`;
  // Infinities have a bound to go to only where most values have a range.
  return { ...cross, name, ...fitStandard(values, { clips: true }), indicator: false };
}

export function transformCross(
  cross: FittedCross,
  { columns }: Pick<Preprocess, 'columns'>,
  numbers: (column: number) => Float32Array,
  into: Float32Array,
): void {
  const values = crossed(cross.operation, imputed(columns, cross.a, numbers), imputed(columns, cross.b, numbers));
  transformStandard(cross, values, 'value', into);
}

export function imputed(columns: Preprocess['columns'], column: number, numbers: (column: number) => Float32Array): Float32Array {
  const fitted = columns[column]!;
  if (fitted.type !== 'number') throw new TypeError(`'${fitted.name}' is no number`);
  const values = numbers(column).slice();
  impute(values, fitted.impute);
  return values;
}

/**
 * @param filled float32 [N, k], imputed numbers
 * @param placeOf the place of a column in it
 * @returns float32 tensors that are, side by side, [N, crosses.length] in the order that is returned with them
 */
export function crossesToOnnx(
  graph: GraphBuilder,
  crosses: readonly FittedCross[],
  filled: string,
  placeOf: (column: number) => number,
): { tensors: string[]; order: FittedCross[] } {
  const groups = crossOperations
    .map((operation) => crosses.filter((cross) => cross.operation === operation))
    .filter((own) => own.length > 0);
  const side = (own: readonly FittedCross[], of: 'a' | 'b') =>
    graph.node('Gather', [filled, graph.int64s(own.map((cross) => placeOf(cross[of])))], { axis: { int: 1 } });
  return {
    tensors: groups.map((own) => graph.node(operators[own[0]!.operation], [side(own, 'a'), side(own, 'b')])),
    order: groups.flat(),
  };
}
