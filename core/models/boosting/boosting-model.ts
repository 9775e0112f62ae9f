import type { AdditiveTrees } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';
import { firstTrees, nodesOf } from '../tree/ensemble.ts';
import { decodeEnsemble, encodeEnsemble } from '../tree/ensemble-file.ts';
import { type Answer, answer, answerToOnnx, logitsToOnnx, lowBits } from './answer.ts';
import { type BoostedTrees, boostedToOnnx, sumBoosted } from './boosted-trees.ts';
import { scoreUnit } from './run-memory.ts';

const format = 1;

/** Fitted boosting. Its bytes: the length of a JSON head (uint32, little-endian), the head, a byte a node, the trees. */
export class BoostingModel implements FittedModel {
  readonly family = 'boosting';
  readonly params: Params;
  readonly trees: BoostedTrees;
  private readonly reading: Answer;

  constructor(params: Params, reading: Answer, trees: BoostedTrees) {
    this.params = params;
    this.reading = reading;
    this.trees = trees;
  }

  get treeCount(): number {
    return this.trees.ensemble.roots.length;
  }

  /** Rounds that were kept. */
  get rounds(): number {
    return this.trees.ensemble.roots.length / this.trees.outputs;
  }

  async predict(x: Matrix): Promise<Predictions> {
    const { features } = this.trees.ensemble;
    if (x.columns !== features) throw new RangeError(`the model was fitted on ${features} features, not ${x.columns}`);
    return answer(this.reading, await sumBoosted(this.trees, x, this.reading.base));
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    return answerToOnnx(this.reading, lowBits(this.rounds), graph, boostedToOnnx(this.trees, graph, input));
  }

  get steps(): number {
    return this.rounds;
  }

  first(rounds: number): BoostingModel {
    const { ensemble, missingLeft, outputs } = this.trees;
    return new BoostingModel(this.params, this.reading, { ensemble: firstTrees(ensemble, rounds * outputs), missingLeft, outputs });
  }

  additive(): AdditiveTrees {
    const { task, outputs, base, offset, scale } = this.reading;
    const { ensemble, missingLeft } = this.trees;
    const unit = task === 'regression' ? scoreUnit * scale : scoreUnit;
    return {
      kind: 'trees',
      is: task === 'regression' ? 'value' : outputs === 1 ? 'log-odds' : 'score',
      features: ensemble.features,
      outputs,
      offsets: base.map((score) => score * unit + offset),
      scale: unit,
      ...nodesOf(ensemble),
      missingLeft,
      width: 1,
    };
  }

  logitsToOnnx(graph: GraphBuilder, input: string): string | undefined {
    if (this.reading.task === 'regression') return undefined;
    return logitsToOnnx(this.reading, lowBits(this.rounds), graph, boostedToOnnx(this.trees, graph, input));
  }

  serialize(): Uint8Array {
    const { ensemble, missingLeft } = this.trees;
    const head = JSON.stringify({ format, params: this.params, reading: this.reading, nodes: missingLeft.length });
    const headBytes = Buffer.from(head);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(headBytes.length);
    return new Uint8Array(Buffer.concat([length, headBytes, missingLeft, encodeEnsemble(ensemble)]));
  }

  static deserialize(bytes: Uint8Array): BoostingModel {
    const headEnd = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, headEnd))) as {
      format: number;
      params: Params;
      reading: Answer;
      nodes: number;
    };
    if (head.format !== format) throw new RangeError(`this is format ${head.format} of boosting; known is ${format}`);
    const missingLeft = new Uint8Array(bytes.subarray(headEnd, headEnd + head.nodes));
    const ensemble = decodeEnsemble(bytes.subarray(headEnd + head.nodes));
    return new BoostingModel(head.params, head.reading, { ensemble, missingLeft, outputs: head.reading.outputs });
  }
}
