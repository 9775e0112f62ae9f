/**
 * The preprocessing of a table: fitted on train rows, applied to any, and written as ONNX nodes.
 *
 *   numbers [N,1] each ─ Concat ─ impute ─ clip ─ scale ───────────┐
 *                           └─ IsNaN ─ (those with an indicator) ──┤
 *   strings [N,1] each ─ encode ─ Concat ─ one-hot ────────────────┴─ Concat ─ features [N, F]
 *
 * Every operation is float32's, in the graph's order, so that both give the same bits.
 */
import { IngotError } from '../errors.ts';
import type { Matrix } from '../models/model.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn, Frame, FrameColumn, NumberColumn } from '../table/frame.ts';
import type { CleanReport, ColumnReport } from '../table/report.ts';
import { booleanValues, fitBoolean, trueCode } from './boolean.ts';
import { clip, clipped, clipToOnnx, fitClip } from './clip.ts';
import { impute, imputeToOnnx, indicate } from './impute.ts';
import { missingTokens } from './missing-tokens.ts';
import { encode, encodeToOnnx, fitSpellings, frequentValues, missingCode, oneHotToOnnx } from './one-hot.ts';
import type { FittedCategory, FittedColumn, FittedNumber, Preprocess } from './preprocess.ts';
import { quantiles } from './quantiles.ts';
import { fitScale, scale, scaled, scaleToOnnx } from './scale.ts';

/**
 * @param train the train rows of the clean table (the target may be among the columns)
 * @param test how many rows are held out
 * @throws IngotError NoFeatures where no column gives a feature
 */
export function fit(train: Frame, report: CleanReport, test: number): Preprocess {
  const byName = new Map(train.columns.map((column) => [column.name, column]));
  const columns = report.columns
    .filter(({ role }) => role === 'feature')
    .map((column) => {
      const values = byName.get(column.name);
      if (values === undefined) throw new IngotError('Internal', `The clean table has no column '${column.name}'.`);
      return fitColumn(values, column, train.rows);
    });
  const layout = layOut(columns);
  if (layout.length === 0) {
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
    columns,
    features: uniqueNames(layout.map((feature) => featureName(columns[feature.column]!, feature))),
    ignored: report.columns.filter(({ role }) => role === 'ignored').map(({ name }) => name),
    rows: { train: train.rows, test },
  };
}

function fitColumn(column: FrameColumn, report: ColumnReport, rows: number): FittedColumn {
  return column.type === 'number' ? fitNumber(column, report) : fitCategory(column, report, rows);
}

function fitNumber({ name, values }: NumberColumn, report: ColumnReport): FittedNumber {
  const [low, middle, high] = quantiles(values, [0.25, 0.5, 0.75]) as [number, number, number];
  const median = Math.fround(middle);
  const bounds = fitClip(low, high);
  const indicator = values.some(Number.isNaN);
  const prepared = values.slice();
  impute(prepared, median);
  clip(prepared, bounds);
  return { type: 'number', name, impute: median, ...bounds, ...fitScale(prepared), indicator, missing: tokensOf(report) };
}

function fitCategory({ type, name, codes, dictionary }: CategoryColumn, report: ColumnReport, rows: number): FittedCategory {
  const counts = new Int32Array(dictionary.length);
  let missing = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code < 0) missing++;
    else counts[code]!++;
  }
  const written = new Map(Object.entries(report.spellings ?? {}));
  const tokens = tokensOf(report);
  const indicator = missing > 0;
  if (type === 'boolean') return { type, name, values: booleanValues, ...fitBoolean(written, tokens), indicator };
  const values = frequentValues(new Map(dictionary.map((value, code) => [value, counts[code]!])), rows);
  const kept = new Set(values);
  const seen = [...values, ...dictionary.filter((value) => !kept.has(value))];
  return { type, name, values, ...fitSpellings(values, seen, written, tokens), indicator };
}

/** The file's own tokens and the usual ones. */
function tokensOf({ missingTokens: own }: ColumnReport): string[] {
  return [...new Set([...missingTokens, ...Object.keys(own)])];
}

/** A feature: a number (`value`), whether a column is missing (`missingCode`), or whether it has the value of that code. */
export interface Feature {
  column: number;
  is: 'value' | number;
}

/** The features in the order of the matrix: numbers, their indicators, then each category's values and its indicator. */
export function layOut(columns: readonly FittedColumn[]): Feature[] {
  const numbers: Feature[] = [];
  const indicators: Feature[] = [];
  const categories: Feature[] = [];
  columns.forEach((fitted, column) => {
    if (fitted.type === 'number') numbers.push({ column, is: 'value' });
    else if (fitted.type === 'boolean') categories.push({ column, is: trueCode });
    else categories.push(...fitted.values.map((_, code) => ({ column, is: code })));
    if (fitted.indicator) (fitted.type === 'number' ? indicators : categories).push({ column, is: missingCode });
  });
  return [...numbers, ...indicators, ...categories];
}

function featureName({ name, ...column }: FittedColumn, { is }: Feature): string {
  if (is === missingCode) return `${name} is missing`;
  return column.type === 'category' ? `${name} = ${column.values[is as number]!}` : name;
}

/** Names that differ in more than case, as column names of Parquet files must for some readers. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${name} (${n})`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/**
 * Features [rows × features], column-major.
 * @param frame has the preprocess's columns by name, in any order, and maybe others; a category may have any strings
 */
export function transform(preprocess: Preprocess, frame: Frame): Matrix {
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
    if (column === undefined || (column.type === 'number') !== (fitted.type === 'number')) {
      throw new IngotError('InvalidRow', `The table has no ${fitted.type} column '${fitted.name}'.`, { where: `column ${fitted.name}` });
    }
    const own = features.get(index) ?? [];
    if (column.type !== 'number') {
      transformCategory(fitted as FittedCategory, column, own, data);
      return;
    }
    for (const { is, at } of own) {
      const into = data.subarray(at * rows, (at + 1) * rows);
      if (is === 'value') transformNumber(fitted as FittedNumber, column.values, into);
      else indicate(column.values, into);
    }
  });
  return { rows, columns: names.length, names, data };
}

function transformNumber(fitted: FittedNumber, values: Float32Array, into: Float32Array): void {
  into.set(values);
  impute(into, fitted.impute);
  clip(into, fitted);
  scale(into, fitted);
}

/** Sets the 1 of each row in one pass: `data` is zero, and a row has at most one of the column's features. */
function transformCategory(
  fitted: FittedCategory,
  { codes, dictionary }: CategoryColumn,
  features: readonly (Feature & { at: number })[],
  data: Float32Array,
): void {
  const rows = codes.length;
  const place = new Map(features.map(({ is, at }) => [is, at]));
  const ofEntry = encode(dictionary, fitted).map((code) => place.get(code) ?? -1);
  const ofMissing = place.get(missingCode) ?? -1;
  for (let row = 0; row < rows; row++) {
    const entry = codes[row]!;
    const at = entry < 0 ? ofMissing : ofEntry[entry]!;
    if (at >= 0) data[at * rows + row] = 1;
  }
}

/** The feature of a raw number that is not missing: rises with it, never falls. */
export function featureOf(value: number, fitted: FittedNumber): number {
  return scaled(clipped(value, fitted), fitted);
}

/**
 * @param inputs the graph's input of each column, float32 or string [N, 1]
 * @returns float32 [N, features]
 */
export function toOnnx(graph: GraphBuilder, { columns }: Preprocess, inputs: readonly string[]): string {
  const parts: string[] = [];
  const numbers = columns.flatMap((fitted, i) => (fitted.type === 'number' ? [{ fitted, input: inputs[i]! }] : []));
  if (numbers.length > 0) {
    const fitted = numbers.map((number) => number.fitted);
    const medians = fitted.map((column) => column.impute);
    const raw = concat(
      graph,
      numbers.map(({ input }) => input),
    );
    const { filled, missing } = imputeToOnnx(graph, raw, medians);
    parts.push(scaleToOnnx(graph, clipToOnnx(graph, filled, fitted), fitted));
    const indicated = fitted.flatMap(({ indicator }, i) => (indicator ? [i] : []));
    if (indicated.length > 0) parts.push(selectIndicators(graph, missing, indicated, fitted.length));
  }
  const categories = layOut(columns).filter(({ column }) => columns[column]!.type !== 'number');
  if (categories.length > 0) parts.push(categoriesToOnnx(graph, columns, inputs, categories));
  return concat(graph, parts);
}

/**
 * @param features of categories and booleans
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
  const place = new Map(encoded.map((column, position) => [column, position]));
  return oneHotToOnnx(
    graph,
    codes,
    features.map(({ column, is }) => ({ column: place.get(column)!, code: is as number })),
  );
}

function selectIndicators(graph: GraphBuilder, missing: string, indicated: readonly number[], of: number): string {
  const chosen = indicated.length === of ? missing : graph.node('Gather', [missing, graph.int64s(indicated)], { axis: { int: 1 } });
  return graph.node('Cast', [chosen], { to: { int: 1 } });
}

/** Side by side; what is alone stays as it is. */
export function concat(graph: GraphBuilder, parts: string[]): string {
  return parts.length === 1 ? parts[0]! : graph.node('Concat', parts, { axis: { int: 1 } });
}
