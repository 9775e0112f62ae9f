/**
 * Takes the preprocessing of numbers into the trees. A tree only asks whether a feature is at most a threshold, and the feature of a number
 * never falls as the number rises: so there is one largest raw number for which the answer is yes, and to ask for that is the same question.
 * A missing number goes where the tree sends it, and "is it missing?" is "is it at most infinity?", which NaN is not. Categories in an order, as a view
 * has them, follow from their codes behind the raw numbers.
 */
import { type Feature, isDerived, layOut, standardOf } from '../features/layout.ts';
import { missingCode } from '../features/one-hot.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { scaled } from '../features/scale.ts';
import type { Standard } from '../features/standard.ts';
import type { FittedModel } from '../models/model.ts';
import type { View } from '../models/view/view.ts';
import { viewToOnnx } from '../models/view/view-onnx.ts';
import type { Attribute, GraphBuilder, NodeOptions } from './graph-builder.ts';
import { type RawTensor, rawTensor } from './raw-tensor.ts';

/** A question about a raw number that a tree asks instead of one about a feature. */
interface RawSplit {
  threshold: number;
  /** Whether a missing number's answer is yes, where the tree does not say. */
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
  private raw: RawTensor | undefined;
  /** What stands for the features as a view has them, and by that and the raw tensor, the tensor. */
  private readonly views = new Map<string, View>();
  private readonly seenTensors = new Map<string, string>();

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
    const asked = inputs.find((input) => input === this.features || this.views.has(input));
    if (asked === undefined) return this.graph.node(opType, inputs, attributes, options);
    if (!treeOperators.includes(opType)) {
      this.readOtherwise = true;
      return '';
    }
    const { tensor, folded } = this.foldTrees(attributes, asked);
    return this.graph.node(opType, [tensor], folded, options);
  }

  seen(view: View, input: string): string | undefined {
    if (input !== this.features || view.limits) return undefined;
    const name = `${this.features}, seen as ${JSON.stringify(view)}`;
    this.views.set(name, view);
    return name;
  }

  private foldTrees(attributes: Record<string, Attribute>, asked: string): { tensor: string; folded: Record<string, Attribute> } {
    const view = this.views.get(asked);
    // Undefined of a category's number.
    const featureAt = (id: number) => (view ? view.takes[id] : id);
    const { nodes_featureids: ids, nodes_values: values, nodes_modes: modes, nodes_missing_value_tracks_true: tracks } = attributes;
    if (!ids || !values || !modes || !('ints' in ids) || !('floats' in values) || !('strings' in modes)) throw new NotFoldable();
    const before = this.used.size;
    modes.strings.forEach((mode, node) => {
      if (mode === 'LEAF') return;
      if (mode !== 'BRANCH_LEQ') throw new NotFoldable(`A split is ${mode}.`);
      const feature = featureAt(ids.ints[node]!);
      if (feature !== undefined) this.used.add(feature);
    });
    for (const { code } of view?.ordered ?? []) this.used.add(code);
    if (this.used.size > before) this.raw = undefined;
    this.raw ??= this.rawOf([...this.used].sort((a, b) => a - b));
    const { width, places } = this.raw;
    const featureIds = new Int32Array(modes.strings.length);
    const thresholds = Float32Array.from(values.floats);
    const missing = tracks && 'ints' in tracks ? Int32Array.from(tracks.ints) : new Int32Array(modes.strings.length);
    modes.strings.forEach((mode, node) => {
      if (mode === 'LEAF') return;
      const id = ids.ints[node]!;
      const feature = featureAt(id);
      if (feature === undefined) {
        featureIds[node] = width + id - view!.takes.length;
        return;
      }
      featureIds[node] = places.get(feature)!;
      const fitted = this.standardOf(feature);
      if (fitted === undefined) return;
      const split = this.rawSplit(feature, fitted, thresholds[node]!);
      thresholds[node] = split.threshold;
      if (split.missing !== undefined) missing[node] = split.missing ? 1 : 0;
    });
    const { nodes_missing_value_tracks_true: _, ...kept } = attributes;
    return {
      tensor: view && view.ordered.length > 0 ? this.seenTensor(asked, view, this.raw) : this.raw.raw,
      folded: {
        ...kept,
        nodes_featureids: { ints: featureIds },
        nodes_values: { floats: thresholds },
        ...(missing.includes(1) && { nodes_missing_value_tracks_true: { ints: missing } }),
      },
    };
  }

  /** The raw tensor with the numbers of the view's categories behind it. */
  private seenTensor(name: string, { ordered }: View, { raw, width, places }: RawTensor): string {
    const key = `${raw} ${name}`;
    const takes = Array.from({ length: width }, (_, place) => place);
    const placed = ordered.map(({ code, numbers }) => ({ code: places.get(code)!, numbers }));
    const tensor = this.seenTensors.get(key) ?? viewToOnnx({ features: width, takes, ordered: placed }, this.graph, raw);
    this.seenTensors.set(key, tensor);
    return tensor;
  }

  private rawOf(asked: readonly number[]): RawTensor {
    if (asked.length === 0) throw new NotFoldable('No tree has a split.');
    return rawTensor(this.graph, this.preprocess, this.inputs, asked);
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
  return { threshold: largest(yes), ...(!fitted.indicator && { missing: yes(fitted.impute) }) };
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
