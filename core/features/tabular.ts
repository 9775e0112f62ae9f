/**
 * The preprocessing of a table: fitted on train rows, applied to any, and written as ONNX nodes.
 *
 *   numbers [N,1] each, or their texts ──┬─ Concat ─ scale ───────────────────────────┐
 *   dates and their like [N,1] ─ derive ─┘     └─ IsNaN ─ (those with an indicator) ──┤
 *   strings [N,1] each ─ encode ─ Concat ─┬─ one-hot ─────────────────────────────────┤
 *                                         └─ (codes of three values or more) ─────────┴─ Concat ─ features [N, F]
 *
 * What is missing stays NaN: models/view says what becomes of that, of outliers and of codes in each family.
 * Every operation is float32's, in the graph's order, so that both give the same bits.
 */
import { IngotError } from '../errors.ts';
import { isSkewed } from '../models/log-target.ts';
import type { Matrix } from '../models/model.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn, Frame } from '../table/frame.ts';
import type { CleanReport } from '../table/report.ts';
import { crossesToOnnx, fitCross, transformCross } from './cross.ts';
import { derive, derivedToOnnx, deriveTrain, onceIn } from './derivations.ts';
import { fitColumn } from './fit-columns.ts';
import { type Cross, crossOperations, type FittedCross } from './fitted-cross.ts';
import { imputeToOnnx } from './impute.ts';
import { columnTypeOf, type Feature, featureNames, isCategory, isDerived, layOut, standardOf } from './layout.ts';
import { numberToOnnx } from './number-onnx.ts';
import { encode, encodeToOnnx, missingCode, oneHotToOnnx } from './one-hot.ts';
import type { FittedCategory, FittedColumn, FittedDerived, Preprocess } from './preprocess.ts';
import { scaleToOnnx } from './scale.ts';
import { type Standard, transformStandard } from './standard.ts';
import type { Learning } from './target-encoding.ts';
import { traitsOf } from './traits.ts';

/**
 * @param train the train rows of the clean table (the target may be among the columns)
 * @param test how many rows are held out
 * @param learning what the train rows are to teach; without it nothing is fitted on the target
 * @throws IngotError NoFeatures where no column gives a feature
 */
export function fit(train: Frame, report: CleanReport, test: number, learning?: Learning): Preprocess {
  const byName = new Map(train.columns.map((column) => [column.name, column]));
  const columns = report.columns
    .filter(({ role }) => role === 'feature')
    .map((column) => {
      const values = byName.get(column.name);
      if (values === undefined) throw new IngotError('Internal', `The clean table has no column '${column.name}'.`);
      return fitColumn(values, column, report.classes, learning);
    });
  return preprocessOf(report, columns, { train: train.rows, test }, learning);
}

/** @throws IngotError NoFeatures where no column gives a feature */
export function preprocessOf(report: CleanReport, columns: FittedColumn[], rows: Preprocess['rows'], learning?: Learning): Preprocess {
  const features = featureNames({ columns });
  if (features.length === 0) {
    throw new IngotError('NoFeatures', 'No column is left to learn from.', {
      where: `dataset ${report.dataset}`,
      fix: 'Give the file at least one column besides the target that is neither constant nor an identifier, or set its role to "feature" in dataset.json.',
    });
  }
  const { dataset, revision, version, task, target, classes, classType } = report;
  return {
    dataset,
    revision,
    version,
    task,
    target,
    ...(classes && { classes }),
    ...(classType && { classType }),
    ...(learning?.target.task === 'regression' && isSkewed(learning.target.values) && { skewed: true as const }),
    columns,
    features,
    ignored: report.columns.filter(({ role }) => role === 'ignored').map(({ name }) => name),
    rows,
  };
}

/**
 * Features [rows × features], column-major.
 * @param frame has the preprocess's columns by name, in any order, and maybe others; a category may have any strings
 */
export function transform(preprocess: Preprocess, frame: Frame): Matrix {
  return transformWith(preprocess, frame, derive);
}

/** The features of the very rows, and with the very targets, that the preprocessing was fitted on: encodings of the target out of fold. */
export function transformTrain(preprocess: Preprocess, train: Frame, learning: Learning): Matrix {
  return transformWith(preprocess, train, (fitted, column) => deriveTrain(fitted, column, learning));
}

/** @param deriveWith gives the numbers of derived columns in the frame's rows */
export function transformWith(preprocess: Preprocess, frame: Frame, deriveWith: typeof derive): Matrix {
  const { rows } = frame;
  const names = preprocess.features;
  const data = new Float32Array(rows * names.length);
  const byName = new Map(frame.columns.map((column) => [column.name, column]));
  const features = Map.groupBy(
    layOut(preprocess.columns).map((feature, at) => ({ ...feature, at })),
    ({ column }) => column,
  );
  preprocess.columns.forEach((fitted, index) => {
    const column = byName.get(fitted.name);
    if (column === undefined || (column.type === 'number') !== (columnTypeOf(fitted) === 'number')) {
      throw new IngotError('InvalidRow', `The table has no ${columnTypeOf(fitted)} column '${fitted.name}'.`, {
        where: `column ${fitted.name}`,
      });
    }
    const own = features.get(index) ?? [];
    if (isCategory(fitted)) {
      transformCategory(fitted, column as CategoryColumn, own, data);
      return;
    }
    const numbers = isDerived(fitted) ? deriveWith(fitted, column) : column.type === 'number' ? [narrow(column.values)] : [];
    for (const feature of own) {
      const into = data.subarray(feature.at * rows, (feature.at + 1) * rows);
      const is = feature.is === 'value' ? 'value' : 'missing';
      transformStandard(standardOf(preprocess.columns, feature)!, numbers[feature.part ?? 0]!, is, into);
    }
  });
  const { crosses = [] } = preprocess;
  const rowsOf = (column: number) => byName.get(preprocess.columns[column]!.name)!;
  crosses.forEach((cross, i) => {
    const at = names.length - crosses.length + i;
    transformCross(cross, preprocess, rowsOf, data.subarray(at * rows, (at + 1) * rows));
  });
  return { rows, columns: names.length, names, data, traits: traitsOf(preprocess) };
}

const narrow = (values: Float32Array | Float64Array) => (values instanceof Float32Array ? values : Float32Array.from(values));

/** Sets the 1 of each row in one pass: `data` is zero, and a row has at most one of the column's 0/1 features. And the code, where that is a feature. */
function transformCategory(
  fitted: FittedCategory,
  { codes, dictionary }: CategoryColumn,
  features: readonly (Feature & { at: number })[],
  data: Float32Array,
): void {
  const rows = codes.length;
  const place = new Map(features.map(({ is, at }) => [is, at]));
  const codeOf = encode(dictionary, fitted);
  const ofEntry = codeOf.map((code) => place.get(code) ?? -1);
  const ofMissing = place.get(missingCode) ?? -1;
  const coded = place.get('code');
  for (let row = 0; row < rows; row++) {
    const entry = codes[row]!;
    const at = entry < 0 ? ofMissing : ofEntry[entry]!;
    if (at >= 0) data[at * rows + row] = 1;
    if (coded !== undefined) data[coded * rows + row] = entry < 0 ? missingCode : codeOf[entry]!;
  }
}

/**
 * @param inputs the graph's input of each column, [N, 1]: float32, float64 of wide numbers, or string
 * @returns float32 [N, features]
 */
export function toOnnx(graph: GraphBuilder, { columns, crosses = [] }: Preprocess, inputs: readonly string[]): string {
  const parts: string[] = [];
  const crossed: string[] = [];
  const layout = layOut(columns);
  const numbers = layout.filter((feature) => feature.is === 'value');
  if (numbers.length > 0) {
    const fitted = numbers.map((feature) => standardOf(columns, feature)!);
    const raw = concat(graph, numberTensors(graph, columns, inputs, numbers));
    parts.push(scaleToOnnx(graph, imputeToOnnx(graph, raw, fitted.map(fillingOf)), fitted));
    if (crosses.length > 0) {
      const filled = imputeToOnnx(
        graph,
        raw,
        fitted.map(({ impute }) => impute),
      );
      const placeOf = (column: number) => numbers.findIndex((feature) => feature.column === column);
      const values = concat(graph, crossesToOnnx(graph, columns, crosses, filled, placeOf, inputs));
      crossed.push(scaleToOnnx(graph, imputeToOnnx(graph, values, crosses.map(fillingOf)), crosses));
    }
    const place = new Map(numbers.map(({ column, part }, i) => [`${column} ${part}`, i]));
    const indicated = layout
      .filter((feature) => feature.is === missingCode && !isCategory(columns[feature.column]!))
      .map(({ column, part }) => place.get(`${column} ${part}`)!);
    if (indicated.length > 0) parts.push(indicatorsToOnnx(graph, raw, indicated, fitted.length));
  }
  const categories = layout.filter(({ column }) => isCategory(columns[column]!));
  if (categories.length > 0) parts.push(categoriesToOnnx(graph, columns, inputs, categories));
  parts.push(...crossed);
  return concat(graph, parts);
}

/** The preprocessing with crosses, which become its last features. @param train the rows that it was fitted on */
export function withCrosses(preprocess: Preprocess, crosses: readonly Cross[], train: Frame): Preprocess {
  if (crosses.length === 0) return preprocess;
  return withFittedCrosses(
    preprocess,
    crosses.map((cross) => fitCrossOn(cross, preprocess, train)),
  );
}

/** @param train the train rows of at least the two columns */
export function fitCrossOn(cross: Cross, preprocess: Preprocess, train: Frame): FittedCross {
  const byName = new Map(train.columns.map((column) => [column.name, column]));
  return fitCross(cross, preprocess, (column) => byName.get(preprocess.columns[column]!.name)!);
}

export function withFittedCrosses(preprocess: Preprocess, fitted: readonly FittedCross[]): Preprocess {
  const crosses = crossOperations.flatMap((operation) => fitted.filter((cross) => cross.operation === operation));
  return { ...preprocess, crosses, features: featureNames({ columns: preprocess.columns, crosses }) };
}

/**
 * @param features numbers of the table, then parts of derived columns, those of one column together
 * @returns float32 tensors that are, side by side, [N, features.length]: the numbers as they are, NaN where missing
 */
export function numberTensors(
  graph: GraphBuilder,
  columns: readonly FittedColumn[],
  inputs: readonly string[],
  features: readonly Feature[],
): string[] {
  return [...Map.groupBy(features, (feature) => feature.column)].map(([column, own]) => {
    const fitted = columns[column]!;
    const input = numberInput(graph, fitted, inputs[column]!);
    return isDerived(fitted) ? partsToOnnx(graph, fitted, input, own) : input;
  });
}

/** A number's input as a number: those that are written in ways of their own come as text. */
function numberInput(graph: GraphBuilder, fitted: FittedColumn, input: string): string {
  if ((fitted.type !== 'number' && fitted.type !== 'wide') || fitted.written === undefined) return input;
  const { type, written } = fitted;
  return onceIn(graph, input, () => {
    const number = numberToOnnx(graph, written, input);
    return type === 'wide' ? number : graph.node('Cast', [number], { to: { int: 1 } });
  });
}

function partsToOnnx(graph: GraphBuilder, fitted: FittedDerived, input: string, features: readonly Feature[]): string {
  const all = derivedToOnnx(graph, fitted, input);
  const parts = features.map(({ part }) => part!);
  return parts.length === fitted.numbers.length ? all : graph.node('Gather', [all, graph.int64s(parts)], { axis: { int: 1 } });
}

/**
 * @param features of categories and booleans, codes last
 * @returns float32 [N, features.length]
 */
export function categoriesToOnnx(
  graph: GraphBuilder,
  columns: readonly FittedColumn[],
  inputs: readonly string[],
  features: readonly Feature[],
): string {
  const encoded = [...new Set(features.map(({ column }) => column))];
  const codes = concat(
    graph,
    encoded.map((column) => encodeToOnnx(graph, inputs[column]!, columns[column] as FittedCategory)),
  );
  const placed = features.map(({ column, is }) => ({ column: encoded.indexOf(column), is }));
  const flags = placed.flatMap(({ column, is }) => (typeof is === 'number' ? [{ column, code: is }] : []));
  const coded = placed.filter(({ is }) => is === 'code').map(({ column }) => column);
  const parts = flags.length > 0 ? [oneHotToOnnx(graph, codes, flags)] : [];
  if (coded.length > 0) parts.push(graph.node('Gather', [codes, graph.int64s(coded)], { axis: { int: 1 } }));
  return concat(graph, parts);
}

/** Gaps that the train rows have stay gaps. */
const fillingOf = ({ indicator, impute }: Standard) => (indicator ? Number.NaN : impute);

function indicatorsToOnnx(graph: GraphBuilder, raw: string, indicated: readonly number[], of: number): string {
  const asked = indicated.length === of ? raw : graph.node('Gather', [raw, graph.int64s(indicated)], { axis: { int: 1 } });
  return graph.node('Cast', [graph.node('IsNaN', [asked])], { to: { int: 1 } });
}

/** Side by side; what is alone stays as it is. */
export function concat(graph: GraphBuilder, parts: string[]): string {
  return parts.length === 1 ? parts[0]! : graph.node('Concat', parts, { axis: { int: 1 } });
}
