/** The one graph from raw row to answer: preprocessing, model and labels. */
import { type Answers, answerToOnnx } from '../answers/answers.ts';
import type { FittedColumn, Preprocess } from '../features/preprocess.ts';
import { toOnnx } from '../features/tabular.ts';
import type { FittedModel } from '../models/model.ts';
import { cardKey, modelCard } from './card.ts';
import { type ElementType, OnnxGraph } from './graph.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { outputNames } from './outputs.ts';

export interface ModelGraphSource {
  preprocess: Preprocess;
  model: Pick<FittedModel, 'toOnnx'>;
  /** What makes the model's answer an honest one; without it, the answer is the model's own. */
  answers?: Answers;
  /** Further `metadata_props`; `model` is the model's name, the dataset's where it is not given. */
  metadata?: Record<string, string>;
}

function inputType(fitted: FittedColumn): ElementType {
  if ((fitted.type !== 'number' && fitted.type !== 'wide') || fitted.written !== undefined) return 'string';
  return fitted.type === 'wide' ? 'double' : 'float';
}

/** Adds the nodes from the raw inputs to the model's answer. @returns the name of the answer's tensor */
export type Body = (graph: GraphBuilder, inputs: readonly string[]) => string;

/**
 * Inputs: the raw columns in order, [N, 1], numbers as float32 (float64 where float32 can't tell them apart) with NaN for missing, all others,
 * numbers with units or separators among them, as strings with '' for missing. Outputs: `label` [N] (int64 where the classes are integers, else string), `probabilities` float32
 * [N, classes] and `set` bool [N, classes]; or `value` float32 [N, 1] and `interval` float32 [N, 2]. The label is the class of the highest
 * probability (times its weight, where the answers have weights), the first of equal ones.
 * @param body the way from inputs to answer; by default the preprocessing and then the model, as they are
 */
export function buildModelGraph({ preprocess, model, answers = {}, metadata = {} }: ModelGraphSource, body?: Body): Uint8Array {
  const graph = new OnnxGraph(Object.values(outputNames));
  const inputs = preprocess.columns.map((fitted) => graph.input(fitted.name, inputType(fitted), ['N', 1]));
  const raw = body ? body(graph, inputs) : model.toOnnx(graph, toOnnx(graph, preprocess, inputs));
  const { numbers, best, set, interval } = answerToOnnx(answers, preprocess.task, graph, raw);
  if (best === undefined) {
    graph.output(outputNames.value, numbers, 'float', ['N', 1]);
    if (interval) graph.output(outputNames.interval, interval, 'float', ['N', 2]);
  } else {
    const classes = preprocess.classes ?? [];
    const integers = preprocess.classType === 'integer';
    const label = graph.node('Gather', [integers ? graph.int64s(classes.map(BigInt)) : graph.strings(classes), best]);
    graph.output(outputNames.label, label, integers ? 'int64' : 'string', ['N']);
    graph.output(outputNames.probabilities, numbers, 'float', ['N', classes.length]);
    if (set) graph.output(outputNames.set, set, 'bool', ['N', classes.length]);
  }
  return graph.toBytes({ ...metadata, [cardKey]: JSON.stringify(modelCard(preprocess, inputs, answers, metadata['model'])) });
}
