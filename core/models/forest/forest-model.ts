import type { AdditiveTrees } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';
import { firstTrees, nodesOf, sumLeaves, type TreeEnsemble } from '../tree/ensemble.ts';
import { decodeEnsemble, encodeEnsemble } from '../tree/ensemble-file.ts';
import { addEnsemble } from '../tree/ensemble-onnx.ts';
import { leafScale } from '../tree/fixed-point.ts';
import { type Answer, answer, answerOnnx } from './answer.ts';

const format = 1;

/** A fitted forest. Its bytes: the length of a JSON head (uint32, little-endian), the head, the trees. */
export class ForestModel implements FittedModel {
  readonly family = 'forest';
  readonly params: Params;
  readonly trees: TreeEnsemble;
  private readonly reading: Answer;

  constructor(params: Params, reading: Answer, trees: TreeEnsemble) {
    this.params = params;
    this.reading = reading;
    this.trees = trees;
  }

  get treeCount(): number {
    return this.trees.roots.length;
  }

  async predict(x: Matrix): Promise<Predictions> {
    if (x.columns !== this.trees.features)
      throw new RangeError(`the forest was fitted on ${this.trees.features} features, not ${x.columns}`);
    return answer(this.reading, await sumLeaves(this.trees, x), x.rows);
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    const { bits, unit } = this.reading;
    return answerOnnx(this.reading, graph, addEnsemble(graph, input, this.trees, leafScale(bits, unit)));
  }

  get steps(): number {
    return this.reading.trees;
  }

  first(trees: number): ForestModel {
    return new ForestModel(this.params, { ...this.reading, trees }, firstTrees(this.trees, trees));
  }

  additive(): AdditiveTrees {
    const { task, classes, trees, bits, base, unit } = this.reading;
    const { features, outputs, splits } = this.trees;
    return {
      kind: 'trees',
      is: task === 'regression' ? 'value' : 'probability',
      features,
      outputs: classes > 2 ? classes : 1,
      offsets: new Array<number>(outputs).fill(base),
      scale: leafScale(bits, unit) / trees,
      ...nodesOf(this.trees),
      missingLeft: new Uint8Array(splits.length),
      width: outputs,
    };
  }

  serialize(): Uint8Array {
    const head = new TextEncoder().encode(JSON.stringify({ format, params: this.params, reading: this.reading }));
    const trees = encodeEnsemble(this.trees);
    const bytes = new Uint8Array(4 + head.length + trees.length);
    new DataView(bytes.buffer).setUint32(0, head.length, true);
    bytes.set(head, 4);
    bytes.set(trees, 4 + head.length);
    return bytes;
  }

  static deserialize(bytes: Uint8Array): ForestModel {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as { format: number; params: Params; reading: Answer };
    if (head.format !== format) throw new RangeError(`this is format ${head.format} of a forest; known is ${format}`);
    return new ForestModel(head.params, head.reading, decodeEnsemble(bytes.subarray(4 + length)));
  }
}
