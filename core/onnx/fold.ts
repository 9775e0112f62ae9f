/**
 * Takes the preprocessing of numbers into the trees. A tree only asks whether a feature is at most a threshold, and the feature of a number
 * never falls as the number rises: so there is one largest raw number for which the answer is yes, and to ask for that is the same question.
 * A missing number goes where the tree sends it, and "is it missing?" is "is it at most infinity?", which NaN is not.
 */
import { crossesToOnnx } from '../features/cross.ts';
import { imputeToOnnx } from '../features/impute.ts';
import { type Feature, isCategory, isDerived, layOut, standardOf } from '../features/layout.ts';
import { missingCode } from '../features/one-hot.ts';
import type { Preprocess, Standard } from '../features/preprocess.ts';
import { scaled } from '../features/scale.ts';
import { categoriesToOnnx, concat, numberTensors } from '../features/tabular.ts';
import type { FittedModel } from '../models/model.ts';
import type { Attribute, GraphBuilder, NodeOptions } from './graph-builder.ts';

/** A question about a raw number that a tree asks instead of one about a feature. */
interface RawSplit {
  threshold: number;
  /** Of an indicator: whether a missing number's answer is yes. */
  missing?: boolean;
}

/** A split on a number of the table: where its column stands among the preprocess's, and the largest number whose answer is yes. */
export interface Edge {
  column: number;
  value: number;
}

/** Says why a model's graph can't be folded; the graph as it is does its work. */
class NotFoldable extends Error {}

/**
 * The way from inputs to answer with the trees asking of raw numbers, and of only those columns and categories that a split uses.
 * @param edges gets the splits on numbers, each once
 * @returns undefined where something asks the features anything but trees' questions, as a linear model does
 */
export function foldedBody(
  preprocess: Preprocess,
  model: Pick<FittedModel, 'toOnnx'>,
  edges: Edge[] = [],
): ((graph: GraphBuilder, inputs: readonly string[]) => string) | undefined {
  const fold = (graph: GraphBuilder, inputs: readonly string[], used?: ReadonlySet<number>) => {
    const folding = new FoldingGraph(graph, preprocess, inputs, used);
    return { answer: model.toOnnx(folding, folding.features), folding };
  };
  try {
    const { folding } = fold(nowhere, preprocess.columns.map(String));
    edges.push(...folding.edges());
    return folding.readOtherwise ? undefined : (graph, inputs) => fold(graph, inputs, folding.used).answer;
  } catch (error) {
    if (error instanceof NotFoldable) return undefined;
    throw error;
  }
}

/** A graph that keeps nothing, to see what a model would write. */
const nowhere: GraphBuilder = { node: () => '', floats: () => '', doubles: () => '', int64s: () => '', strings: () => '' };

const treeOperators = ['TreeEnsembleRegressor', 'TreeEnsembleClassifier'];

class FoldingGraph implements GraphBuilder {
  /** Stands for the tensor of features, which the folded graph does not have. */
  readonly features = 'the features';
  private readonly graph: GraphBuilder;
  private readonly preprocess: Preprocess;
  private readonly inputs: readonly string[];
  private readonly layout: Feature[];
  /** The features that some tree splits: the trees of an ensemble read one tensor. */
  readonly used: Set<number>;
  /** Whether something else than a tree reads the features. */
  readOtherwise = false;
  private readonly known = new Map<string, RawSplit>();
  private raw: { raw: string; places: Map<number, number> } | undefined;

  constructor(graph: GraphBuilder, preprocess: Preprocess, inputs: readonly string[], used: ReadonlySet<number> = new Set()) {
    this.graph = graph;
    this.preprocess = preprocess;
    this.inputs = inputs;
    this.layout = layOut(preprocess.columns);
    this.used = new Set(used);
  }

  edges(): Edge[] {
    return [...this.known]
      .map(([key, { threshold }]) => ({ column: this.layout[Number(key.split(' ', 1)[0])]?.column ?? -1, value: threshold }))
      .filter(({ column }) => column >= 0 && !isDerived(this.preprocess.columns[column]!));
  }

  floats(values: readonly number[] | Float32Array, dims?: number[]): string {
    return this.graph.floats(values, dims);
  }

  doubles(values: readonly number[] | Float64Array, dims?: number[]): string {
    return this.graph.doubles(values, dims);
  }

  int64s(values: readonly (number | bigint)[], dims?: number[]): string {
    return this.graph.int64s(values, dims);
  }

  strings(values: readonly string[], dims?: number[]): string {
    return this.graph.strings(values, dims);
  }

  node(opType: string, inputs: string[], attributes: Record<string, Attribute> = {}, options: NodeOptions = {}): string {
    if (!inputs.includes(this.features)) return this.graph.node(opType, inputs, attributes, options);
    if (!treeOperators.includes(opType)) {
      this.readOtherwise = true;
      return '';
    }
    const { raw, folded } = this.foldTrees(attributes);
    return this.graph.node(opType, [raw], folded, options);
  }

  private foldTrees(attributes: Record<string, Attribute>): { raw: string; folded: Record<string, Attribute> } {
    const { nodes_featureids: ids, nodes_values: values, nodes_modes: modes, nodes_missing_value_tracks_true: tracks } = attributes;
    if (!ids || !values || !modes || !('ints' in ids) || !('floats' in values) || !('strings' in modes)) throw new NotFoldable();
    const before = this.used.size;
    modes.strings.forEach((mode, node) => {
      if (mode === 'LEAF') return;
      if (mode !== 'BRANCH_LEQ') throw new NotFoldable(`A split is ${mode}.`);
      this.used.add(ids.ints[node]!);
    });
    if (this.used.size > before) this.raw = undefined;
    this.raw ??= this.rawTensor([...this.used].sort((a, b) => a - b));
    const { raw, places } = this.raw;
    const featureIds = new Int32Array(modes.strings.length);
    const thresholds = Float32Array.from(values.floats);
    const missing = tracks && 'ints' in tracks ? Int32Array.from(tracks.ints) : new Int32Array(modes.strings.length);
    modes.strings.forEach((mode, node) => {
      if (mode === 'LEAF') return;
      const feature = ids.ints[node]!;
      featureIds[node] = places.get(feature)!;
      const fitted = this.standardOf(feature);
      if (fitted === undefined) return;
      const split = this.rawSplit(feature, fitted, thresholds[node]!);
      thresholds[node] = split.threshold;
      if (split.missing !== undefined) missing[node] = split.missing ? 1 : 0;
    });
    const { nodes_missing_value_tracks_true: _, ...kept } = attributes;
    return {
      raw,
      folded: {
        ...kept,
        nodes_featureids: { ints: featureIds },
        nodes_values: { floats: thresholds },
        ...(missing.includes(1) && { nodes_missing_value_tracks_true: { ints: missing } }),
      },
    };
  }

  /** The raw numbers and the categories' features that are used, side by side, and where each feature's question is to be asked. */
  private rawTensor(asked: readonly number[]): { raw: string; places: Map<number, number> } {
    const { columns, crosses = [] } = this.preprocess;
    const usedCrosses = asked.filter((feature) => feature >= this.layout.length);
    const used = [...new Set([...asked.filter((feature) => feature < this.layout.length), ...this.operandsOf(usedCrosses)])].sort(
      (a, b) => a - b,
    );
    const isNumber = (feature: number) => !isCategory(columns[this.layout[feature]!.column]!);
    // A feature and its indicator ask of the same number.
    const keyOf = (feature: number) => `${this.layout[feature]!.column} ${this.layout[feature]!.part}`;
    const firsts = new Map(used.filter(isNumber).map((feature) => [keyOf(feature), this.layout[feature]!]));
    const ofTable = [...firsts.values()].filter(({ part }) => part === undefined);
    const derived = [...firsts.values()].filter(({ part }) => part !== undefined);
    const numbers = [...ofTable, ...derived.sort((a, b) => a.column - b.column || a.part! - b.part!)];
    const categories = used.filter((feature) => !isNumber(feature));
    const placeOf = new Map(numbers.map(({ column, part }, place) => [`${column} ${part}`, place]));
    const places = new Map(used.filter(isNumber).map((feature) => [feature, placeOf.get(keyOf(feature))!]));
    categories.forEach((feature, i) => {
      places.set(feature, numbers.length + i);
    });
    const parts = numberTensors(this.graph, columns, this.inputs, numbers);
    if (categories.length > 0) {
      const features = categories.map((feature) => this.layout[feature]!);
      parts.push(categoriesToOnnx(this.graph, columns, this.inputs, features));
    }
    if (parts.length === 0) throw new NotFoldable('No tree has a split.');
    const raw = concat(this.graph, parts);
    if (usedCrosses.length === 0) return { raw, places };
    const medians = numbers.map(
      ({ column, part }) => standardOf(columns, { column, is: 'value', ...(part !== undefined && { part }) })!.impute,
    );
    const numeric = this.graph.node('Gather', [raw, this.graph.int64s(numbers.map((_, place) => place))], { axis: { int: 1 } });
    const filled = imputeToOnnx(this.graph, numeric, medians);
    const own = usedCrosses.map((feature) => crosses[feature - this.layout.length]!);
    const tensors = crossesToOnnx(this.graph, columns, own, filled, (column) => placeOf.get(`${column} undefined`)!, this.inputs);
    usedCrosses.forEach((feature, i) => {
      places.set(feature, numbers.length + categories.length + i);
    });
    return { raw: concat(this.graph, [raw, ...tensors]), places };
  }

  /** The features that are the numbers of crosses. */
  private operandsOf(crossFeatures: readonly number[]): number[] {
    const { crosses = [] } = this.preprocess;
    const columns = crossFeatures
      .map((feature) => crosses[feature - this.layout.length]!)
      .flatMap(({ operation, a, b }) => (operation === 'within' ? [a] : [a, b]));
    return columns.map((column) => this.layout.findIndex((feature) => feature.column === column && feature.is === 'value'));
  }

  private standardOf(feature: number): Standard | undefined {
    const { columns, crosses = [] } = this.preprocess;
    const place = this.layout[feature];
    return place === undefined ? crosses[feature - this.layout.length]! : standardOf(columns, place);
  }

  private rawSplit(feature: number, fitted: Standard, threshold: number): RawSplit {
    const key = `${feature} ${threshold}`;
    let split = this.known.get(key);
    if (split === undefined) {
      split = this.layout[feature]?.is === missingCode ? splitOfIndicator(threshold) : splitOfValue(fitted, threshold);
      this.known.set(key, split);
    }
    return split;
  }
}

function splitOfIndicator(threshold: number): RawSplit {
  if (threshold < 0) throw new NotFoldable('A split to which nothing says yes.');
  return { threshold: Infinity, missing: threshold >= 1 };
}

function splitOfValue(fitted: Standard, threshold: number): RawSplit {
  const yes = (value: number) => scaled(value, fitted) <= threshold;
  if (!yes(-Infinity)) throw new NotFoldable('A split to which nothing says yes.');
  return { threshold: largest(yes) };
}

/** The largest float32 to which a question that turns from yes to no once, as numbers rise, is answered with yes. */
function largest(yes: (value: number) => boolean): number {
  let low = order(-Infinity);
  let high = order(Infinity);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (yes(unorder(middle))) low = middle;
    else high = middle - 1;
  }
  return unorder(low);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** float32 as integers in the same order, counted from zero. */
function order(value: number): number {
  float[0] = value;
  return bits[0]! < 0 ? -(bits[0]! & 0x7fff_ffff) : bits[0]!;
}

function unorder(place: number): number {
  bits[0] = place < 0 ? -place | 0x8000_0000 : place;
  return float[0]!;
}

/** The float32 that is `steps` further. */
export function neighbour(value: number, steps: number): number {
  return unorder(Math.max(order(-Infinity), Math.min(order(Infinity), order(value) + steps)));
}
