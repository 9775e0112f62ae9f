/**
 * Crosses: two columns made one, as what a tree can only approach by many splits. The difference, product or ratio of two numbers of the table, or
 * how far a number is from its mean in the rows of the same category. In float32, of the imputed numbers; where a ratio is none (0 / 0) it is
 * missing, and imputed in turn.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { FrameColumn } from '../table/frame.ts';
import type { Cross, crossOperations, FittedCross } from './fitted-cross.ts';
import { groupsOf, groupsToOnnx } from './groups.ts';
import { impute } from './impute.ts';
import type { FittedCategory, FittedColumn, Preprocess } from './preprocess.ts';
import { fitStandard, transformStandard } from './standard.ts';
import { type FittedEncoding, shrunkenMeans } from './target-encoding.ts';

type PairOperation = Exclude<(typeof crossOperations)[number], 'within'>;

/** A table's columns, by their places among the preprocess's. */
export type ColumnsOf = (column: number) => FrameColumn;

const operators: Record<PairOperation, string> = { minus: 'Sub', times: 'Mul', over: 'Div' };
const signs = { minus: '−', times: '×', over: '÷', within: 'within' } as const;

/** @param x, y imputed numbers of the rows; each result is rounded to float32 once */
function crossed(operation: PairOperation, x: Float32Array, y: Float32Array): Float32Array {
  const result = new Float32Array(x.length);
  for (let row = 0; row < result.length; row++) {
    const [a, b] = [x[row]!, y[row]!];
    result[row] = operation === 'minus' ? a - b : operation === 'times' ? a * b : a / b;
  }
  return result;
}

/** A category's groups, where a column is one. */
export function groupingOf(fitted: FittedColumn): { spellings: FittedCategory | FittedEncoding; values: number } | undefined {
  if (fitted.type === 'category' || fitted.type === 'boolean') return { spellings: fitted, values: fitted.values.length };
  return fitted.type === 'encoding' ? { spellings: fitted, values: fitted.table[0]!.length - 2 } : undefined;
}

/** @param train the train rows */
export function fitCross(cross: Cross, { columns }: Pick<Preprocess, 'columns'>, train: ColumnsOf): FittedCross {
  const means = cross.operation === 'within' ? meansOf(cross, columns, train) : undefined;
  const values = valuesOf({ ...cross, ...(means && { means }) }, columns, train);
  const name = `${columns[cross.a]!.name} ${signs[cross.operation]} ${columns[cross.b]!.name}`;
  // Infinities have a bound to go to only where most values have a range.
  return { ...cross, name, ...fitStandard(values, { clips: true }), indicator: false, ...(means && { means }) };
}

/** The values of a cross in the rows that it is fitted on. */
export function crossValues(cross: Cross, columns: readonly FittedColumn[], train: ColumnsOf): Float32Array {
  return valuesOf(cross.operation === 'within' ? { ...cross, means: meansOf(cross, columns, train) } : cross, columns, train);
}

export function transformCross(cross: FittedCross, { columns }: Pick<Preprocess, 'columns'>, rows: ColumnsOf, into: Float32Array): void {
  transformStandard(cross, valuesOf(cross, columns, rows), 'value', into);
}

function valuesOf(cross: Cross & { means?: number[] }, columns: readonly FittedColumn[], rows: ColumnsOf): Float32Array {
  const { operation, a, b, means } = cross;
  const numbers = imputed(columns, a, rows);
  if (operation !== 'within') return crossed(operation, numbers, imputed(columns, b, rows));
  const groups = groupsIn(columns, b, rows);
  return crossed(
    'minus',
    numbers,
    Float32Array.from(groups, (group) => means![group]!),
  );
}

function meansOf({ a, b }: Cross, columns: readonly FittedColumn[], train: ColumnsOf): number[] {
  const groups = groupsIn(columns, b, train);
  const { means } = shrunkenMeans(groupingOf(columns[b]!)!.values + 2, Float64Array.from(imputed(columns, a, train)), function* () {
    for (let row = 0; row < groups.length; row++) yield { row, groups: [groups[row]!] };
  });
  return Array.from(means, Math.fround);
}

function groupsIn(columns: readonly FittedColumn[], category: number, rows: ColumnsOf): Int32Array {
  const column = rows(category);
  const grouping = groupingOf(columns[category]!);
  if (grouping === undefined || column.type === 'number') throw new TypeError(`'${column.name}' is no category`);
  return groupsOf(column, grouping.spellings, grouping.values);
}

export function imputed(columns: readonly FittedColumn[], number: number, rows: ColumnsOf): Float32Array {
  const fitted = columns[number]!;
  const column = rows(number);
  if (fitted.type !== 'number' || column.type !== 'number') throw new TypeError(`'${fitted.name}' is no number`);
  const values = Float32Array.from(column.values);
  impute(values, fitted.impute);
  return values;
}

/**
 * @param crosses in the order of their operations
 * @param filled float32 [N, k], imputed numbers; @param placeOf the place of a column in it
 * @param inputs the graph's inputs, of the categories
 * @returns float32 tensors that are, side by side, [N, crosses.length]
 */
export function crossesToOnnx(
  graph: GraphBuilder,
  columns: readonly FittedColumn[],
  crosses: readonly FittedCross[],
  filled: string,
  placeOf: (column: number) => number,
  inputs: readonly string[],
): string[] {
  const side = (own: readonly FittedCross[], of: 'a' | 'b') =>
    graph.node('Gather', [filled, graph.int64s(own.map((cross) => placeOf(cross[of])))], { axis: { int: 1 } });
  return [...Map.groupBy(crosses, ({ operation }) => operation)].flatMap(([operation, own]) => {
    if (operation !== 'within') return [graph.node(operators[operation], [side(own, 'a'), side(own, 'b')])];
    return own.map((cross) => {
      const { spellings, values } = groupingOf(columns[cross.b]!)!;
      const groups = groupsToOnnx(graph, inputs[cross.b]!, spellings, values);
      return graph.node('Sub', [side([cross], 'a'), graph.node('Gather', [graph.floats(cross.means!), groups])]);
    });
  });
}
