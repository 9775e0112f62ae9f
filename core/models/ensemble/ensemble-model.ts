/**
 * Several models as one. The models of a member (one for each fold, or one of all rows) are averaged; the members' answers are averaged by weight,
 * or handed to a second layer.
 *
 *   model ─┐                          model ─┐
 *   model ─┼ mean by weight (mix.ts)  model ─┴ mean ─┐
 *   model ─┘                          model ─ mean ──┴ Concat ─ linear model
 */

import type { AdditiveSum } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { softmaxToOnnx } from '../exact/softmax.ts';
import { familyOf } from '../families.ts';
import { LinearModel } from '../linear/linear-model.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';
import { mix, mixToOnnx, mostWeight } from './mix.ts';

const format = 1;

export interface EnsembleMember {
  models: FittedModel[];
  /** A whole number; not used by a second layer. */
  weight: number;
}

export interface EnsembleParts {
  task: 'classification' | 'regression';
  /** Of a classification; 0 otherwise. */
  classes: number;
  members: EnsembleMember[];
  /** Where answers are clipped, see mix.ts. */
  bound: number;
  /** Of features [members × classes], or [members]. */
  second?: LinearModel;
}

interface Head {
  format: number;
  task: EnsembleParts['task'];
  classes: number;
  bound: number;
  members: { weight: number; models: { family: string; bytes: number }[] }[];
  second: number;
}

/** Its bytes: the length of a JSON head (uint32, little-endian), the head, the models one behind the other. */
export class EnsembleModel implements FittedModel {
  readonly family = 'ensemble';
  readonly params: Params = {};
  readonly parts: EnsembleParts;

  constructor(parts: EnsembleParts) {
    this.parts = parts;
  }

  async predict(x: Matrix): Promise<Predictions> {
    const { members, bound, second } = this.parts;
    if (second) return second.predict(secondFeatures(await this.memberAnswers(x), x.rows));
    const answers: Float32Array[] = [];
    for (const { models } of members) for (const model of models) answers.push(numbersOf(await model.predict(x)));
    return this.reading(mix(answers, this.weights(), bound));
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    const { members, bound, second } = this.parts;
    const models = members.flatMap((member) => member.models);
    const logits = models.map((model) => model.logitsToOnnx?.(graph, input));
    const soft = logits.filter((name) => name !== undefined);
    const together = soft.length > 0 ? this.softmaxes(graph, soft) : undefined;
    const weights = this.weights();
    if (!second) {
      // First the models of the one softmax, then the others, and their weights alike.
      const isSoft = (_: unknown, i: number) => logits[i] !== undefined;
      const others = models.filter((_, i) => logits[i] === undefined).map((model) => model.toOnnx(graph, input));
      const order = [...weights.filter(isSoft), ...weights.filter((_, i) => logits[i] === undefined)];
      return mixToOnnx(graph, [...(together === undefined ? [] : [together]), ...others], this.width, order, bound);
    }
    let place = 0;
    const answerOf = (i: number) => {
      if (logits[i] === undefined) return models[i]!.toOnnx(graph, input);
      const from = this.width * place++;
      return graph.node('Gather', [together!, graph.int64s(Array.from({ length: this.width }, (_, k) => from + k))], { axis: { int: 1 } });
    };
    let model = 0;
    const answers = members.map((member) => member.models.map(() => answerOf(model++)));
    const means = answers.map((own) => (own.length === 1 ? own[0]! : mixToOnnx(graph, own, this.width, ones(own.length), bound)));
    return second.toOnnx(graph, means.length === 1 ? means[0]! : graph.node('Concat', means, { axis: { int: 1 } }));
  }

  /** Of values, or of probabilities, that are sums themselves: a weighted sum of them. A second layer of probabilities, or a member of another sort, has none. */
  additive(): AdditiveSum | undefined {
    const { members, second, task } = this.parts;
    const of = second?.additive();
    if (of && task === 'classification') return undefined;
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    const is = task === 'regression' ? 'value' : 'probability';
    const parts: AdditiveSum['parts'] = [];
    for (const [m, { models, weight }] of members.entries())
      for (const model of models) {
        const part = model.additive?.();
        if (part === undefined || part.kind === 'sum' || part.is !== is) return undefined;
        parts.push({ weight: (of ? of.weights[m]! : weight / total) / models.length, part });
      }
    return { kind: 'sum', is, outputs: parts[0]!.part.outputs, offset: of ? of.intercepts[0]! : 0, parts };
  }

  serialize(): Uint8Array {
    const { task, classes, bound, members, second } = this.parts;
    const bytes = members.map(({ models }) => models.map((model) => model.serialize()));
    const last = second?.serialize() ?? new Uint8Array();
    const head: Head = {
      format,
      task,
      classes,
      bound,
      members: members.map(({ weight, models }, i) => ({
        weight,
        models: models.map(({ family }, k) => ({ family, bytes: bytes[i]![k]!.length })),
      })),
      second: last.length,
    };
    const headBytes = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(headBytes.length);
    return new Uint8Array(Buffer.concat([length, headBytes, ...bytes.flat(), last]));
  }

  static deserialize(bytes: Uint8Array): EnsembleModel {
    let at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at))) as Head;
    if (head.format !== format) throw new RangeError(`this is format ${head.format} of an ensemble; known is ${format}`);
    const take = (length: number) => {
      at += length;
      return bytes.slice(at - length, at);
    };
    const members = head.members.map(({ weight, models }) => ({
      weight,
      models: models.map((model) => familyOf(model.family).deserialize(take(model.bytes))),
    }));
    const { task, classes, bound } = head;
    return new EnsembleModel({
      ...{ task, classes, bound, members },
      ...(head.second > 0 && { second: LinearModel.deserialize(take(head.second)) }),
    });
  }

  /** The softmax of many models' logits at once. @returns name of the float32 tensor [N, models × width] */
  private softmaxes(graph: GraphBuilder, logits: string[]): string {
    const all = logits.length === 1 ? logits[0]! : graph.node('Concat', logits, { axis: { int: 1 } });
    const rows = graph.node('Reshape', [all, graph.int64s([-1, this.width])]);
    return graph.node('Reshape', [softmaxToOnnx(graph, rows), graph.int64s([-1, logits.length * this.width])]);
  }

  private get width(): number {
    return Math.max(1, this.parts.classes);
  }

  /** Those of the models: a member's models share its weight, as whole numbers. */
  private weights(): number[] {
    const { members } = this.parts;
    const common = members.reduce((multiple, { models }) => leastCommonMultiple(multiple, models.length), 1);
    const weights = members.flatMap(({ models, weight }) => models.map(() => (weight * common) / models.length));
    if (weights.reduce((a, b) => a + b, 0) >= mostWeight) throw new RangeError('the weights of an ensemble are too large to be exact');
    return weights;
  }

  private async memberAnswers(x: Matrix): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for (const { models } of this.parts.members) {
      const answers: Float32Array[] = [];
      for (const model of models) answers.push(numbersOf(await model.predict(x)));
      all.push(answers.length === 1 ? answers[0]! : mix(answers, ones(answers.length), this.parts.bound));
    }
    return all;
  }

  private reading(numbers: Float32Array): Predictions {
    const { task, classes } = this.parts;
    return task === 'classification' ? { task, classes, probabilities: numbers } : { task, values: numbers };
  }
}

/** The members' answers, row-major [rows × width] each, as the features of a second layer. */
export function secondFeatures(answers: readonly Float32Array[], rows: number): Matrix {
  const width = answers[0]!.length / rows;
  const data = new Float32Array(answers.length * width * rows);
  answers.forEach((values, member) => {
    for (let row = 0; row < rows; row++) for (let k = 0; k < width; k++) data[(member * width + k) * rows + row] = values[row * width + k]!;
  });
  const columns = answers.length * width;
  return { rows, columns, names: Array.from({ length: columns }, (_, i) => `answer ${i}`), data };
}

export function numbersOf(predictions: Predictions): Float32Array {
  return predictions.task === 'classification' ? predictions.probabilities : predictions.values;
}

const ones = (count: number): number[] => new Array<number>(count).fill(1);

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}
