import { crossesToOnnx } from '../features/cross.ts';
import { imputeToOnnx } from '../features/impute.ts';
import { type Feature, isCategory, layOut, standardOf } from '../features/layout.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { categoriesToOnnx, concat, numberTensors } from '../features/tabular.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** The raw numbers and the categories' features that are used, side by side, and where each feature's question is to be asked. */
export interface RawTensor {
  raw: string;
  width: number;
  places: Map<number, number>;
}

/** @param asked features, at least one, ascending */
export function rawTensor(graph: GraphBuilder, preprocess: Preprocess, inputs: readonly string[], asked: readonly number[]): RawTensor {
  const layout = layOut(preprocess.columns);
  const { columns, crosses = [] } = preprocess;
  const usedCrosses = asked.filter((feature) => feature >= layout.length);
  const used = [...new Set([...asked.filter((feature) => feature < layout.length), ...operandsOf(preprocess, layout, usedCrosses)])].sort(
    (a, b) => a - b,
  );
  const isNumber = (feature: number) => !isCategory(columns[layout[feature]!.column]!);
  // A feature and its indicator ask of the same number.
  const keyOf = (feature: number) => `${layout[feature]!.column} ${layout[feature]!.part}`;
  const firsts = new Map(used.filter(isNumber).map((feature) => [keyOf(feature), layout[feature]!]));
  const ofTable = [...firsts.values()].filter(({ part }) => part === undefined);
  const derived = [...firsts.values()].filter(({ part }) => part !== undefined);
  const numbers = [...ofTable, ...derived.sort((a, b) => a.column - b.column || a.part! - b.part!)];
  const categories = used.filter((feature) => !isNumber(feature));
  const placeOf = new Map(numbers.map(({ column, part }, place) => [`${column} ${part}`, place]));
  const places = new Map(used.filter(isNumber).map((feature) => [feature, placeOf.get(keyOf(feature))!]));
  categories.forEach((feature, i) => {
    places.set(feature, numbers.length + i);
  });
  const parts = numberTensors(graph, columns, inputs, numbers);
  if (categories.length > 0) {
    const features = categories.map((feature) => layout[feature]!);
    parts.push(categoriesToOnnx(graph, columns, inputs, features));
  }
  const raw = concat(graph, parts);
  const width = numbers.length + categories.length;
  if (usedCrosses.length === 0) return { raw, width, places };
  const medians = numbers.map(
    ({ column, part }) => standardOf(columns, { column, is: 'value', ...(part !== undefined && { part }) })!.impute,
  );
  const numeric = graph.node('Gather', [raw, graph.int64s(numbers.map((_, place) => place))], { axis: { int: 1 } });
  const filled = imputeToOnnx(graph, numeric, medians);
  const own = usedCrosses.map((feature) => crosses[feature - layout.length]!);
  const tensors = crossesToOnnx(graph, columns, own, filled, (column) => placeOf.get(`${column} undefined`)!, inputs);
  usedCrosses.forEach((feature, i) => {
    places.set(feature, width + i);
  });
  return { raw: concat(graph, [raw, ...tensors]), width: width + usedCrosses.length, places };
}

/** The features that are the numbers of crosses. */
function operandsOf({ crosses = [] }: Preprocess, layout: readonly Feature[], crossFeatures: readonly number[]): number[] {
  const columns = crossFeatures
    .map((feature) => crosses[feature - layout.length]!)
    .flatMap(({ operation, a, b }) => (operation === 'within' ? [a] : [a, b]));
  return columns.map((column) => layout.findIndex((feature) => feature.column === column && feature.is === 'value'));
}
