import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { softmax, softmaxToOnnx } from '../exact/softmax.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';
import type { Encoding } from './encoding.ts';
import { type FixedLayer, type FixedNetwork, networkToOnnx, scoresOf } from './fixed-network.ts';

const format = 1;
const float32 = 1;
/** The logit of a class that was in no train row: its probability is 0. */
const never = -1000;

/** How scores become the answer. */
export interface Reading {
  /** Of a classification; 0 otherwise. */
  classes: number;
  /** The classes that the scores are of. */
  present: number[];
  /** The value of a regression is centre + spread × score, no less and no more than the train rows'. */
  centre: number;
  spread: number;
  least: number;
  most: number;
}

interface Head {
  format: number;
  params: Params;
  reading: Reading;
  encoding: Encoding;
  learningCurve: number[];
  layers: { inputs: number; outputs: number; scale: number; bias: number[] }[];
}

/** A trained network. Its bytes: the length of a JSON head (uint32, little-endian), the head, the weights as float32. */
export class NetworkModel implements FittedModel {
  readonly family = 'network';
  readonly params: Params;
  /** The loss of the shares (or of the mean), then that of each epoch's batches. */
  readonly learningCurve: readonly number[];
  private readonly reading: Reading;
  private readonly network: FixedNetwork;

  constructor(params: Params, reading: Reading, network: FixedNetwork, learningCurve: readonly number[]) {
    this.params = params;
    this.reading = reading;
    this.network = network;
    this.learningCurve = learningCurve;
  }

  get steps(): number {
    return Number(this.params['epochs']);
  }

  async predict(x: Matrix): Promise<Predictions> {
    const { classes, present, centre, spread, least, most } = this.reading;
    const scores = scoresOf(this.network, x);
    if (classes === 0) {
      const value = (score: number) => Math.min(Math.max(score * spread + centre, least), most);
      return { task: 'regression', values: Float32Array.from(scores, value) };
    }
    if (present.length === classes) return { task: 'classification', classes, probabilities: softmax(scores, classes) };
    const logits = new Float64Array(x.rows * classes).fill(never);
    for (let row = 0; row < x.rows; row++)
      present.forEach((k, i) => {
        logits[row * classes + k] = scores[row * present.length + i]!;
      });
    return { task: 'classification', classes, probabilities: softmax(logits, classes) };
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    const { classes, centre, spread, least, most } = this.reading;
    if (classes > 0) return softmaxToOnnx(graph, this.logitsToOnnx(graph, input)!);
    const scaled = graph.node('Mul', [networkToOnnx(this.network, graph, input), graph.doubles([spread])]);
    const value = graph.node('Max', [graph.node('Add', [scaled, graph.doubles([centre])]), graph.doubles([least])]);
    return graph.node('Cast', [graph.node('Min', [value, graph.doubles([most])])], { to: { int: float32 } });
  }

  logitsToOnnx(graph: GraphBuilder, input: string): string | undefined {
    const { classes, present } = this.reading;
    if (classes === 0) return undefined;
    const scores = networkToOnnx(this.network, graph, input);
    if (present.length === classes) return scores;
    // Each class takes its own score, and an absent one the first, out of reach.
    const places = Array.from({ length: classes }, (_, k) => Math.max(0, present.indexOf(k)));
    const own = graph.node('Gather', [scores, graph.int64s(places)], { axis: { int: 1 } });
    const factors = graph.doubles(Array.from({ length: classes }, (_, k) => (present.includes(k) ? 1 : 0)));
    const offsets = graph.doubles(Array.from({ length: classes }, (_, k) => (present.includes(k) ? 0 : never)));
    return graph.node('Add', [graph.node('Mul', [own, factors]), offsets]);
  }

  serialize(): Uint8Array {
    const { encoding, layers } = this.network;
    const head: Head = {
      ...{ format, params: this.params, reading: this.reading, encoding },
      learningCurve: [...this.learningCurve],
      layers: layers.map(({ inputs, outputs, scale, bias }) => ({ inputs, outputs, scale, bias: [...bias] })),
    };
    const headBytes = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(headBytes.length);
    const weights = layers.map((layer) => Buffer.from(layer.weights.buffer, layer.weights.byteOffset, layer.weights.byteLength));
    return new Uint8Array(Buffer.concat([length, headBytes, ...weights]));
  }

  static deserialize(bytes: Uint8Array): NetworkModel {
    let at = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at))) as Head;
    if (head.format !== format) throw new RangeError(`this is format ${head.format} of a network; known is ${format}`);
    const layers = head.layers.map(({ inputs, outputs, scale, bias }): FixedLayer => {
      const from = at;
      at += inputs * outputs * 4;
      return {
        inputs,
        outputs,
        scale,
        bias: Float64Array.from(bias),
        weights: new Float32Array(new Uint8Array(bytes.subarray(from, at)).buffer),
      };
    });
    return new NetworkModel(head.params, head.reading, { encoding: head.encoding, layers }, head.learningCurve);
  }
}
