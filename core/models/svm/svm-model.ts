import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { type AffineMap, affineToOnnx, applyAffine } from '../exact/affine.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';
import { couple, coupleToOnnx } from './coupling.ts';
import { type Expansion, expand, expansionToOnnx, kernelUnits, vectorAt } from './expansion.ts';
import { toPoints } from './fixed-points.ts';

const format = 1;
const float32 = 1;

/** What a fitted support vector machine keeps; as JSON, its bytes. */
export interface SvmState {
  params: Params;
  /** Of a classification; 0 otherwise. */
  classes: number;
  /** The classes that were in the train rows. */
  present: number[];
  /**
   * To the logits of pairs of those classes, or to the value: by the kernel's expansion or by a line; or the answer itself, where the train
   * rows have one class only, or no feature that varies.
   */
  by: { expansion: Expansion } | { line: AffineMap } | { constant: number[] };
}

export class SvmModel implements FittedModel {
  readonly family = 'svm';
  readonly state: SvmState;

  constructor(state: SvmState) {
    this.state = state;
  }

  get params(): Params {
    return this.state.params;
  }

  async predict(x: Matrix): Promise<Predictions> {
    const { by } = this.state;
    if ('constant' in by) return this.answer(new Float64Array(), x.rows);
    if ('line' in by) return this.answer(applyAffine(by.line, x), x.rows);
    const { expansion } = by;
    const points = toPoints(expansion.fixed, x);
    const scratch = new Float64Array(x.rows);
    const unitsOf = (vector: number) => kernelUnits(points, vectorAt(expansion, vector), expansion.rate, scratch);
    return this.answer(expand(expansion, x.rows, unitsOf), x.rows);
  }

  /** @param decisions logits of the pairs, or values, of the rows; nothing where the answer is constant */
  answer(decisions: Float64Array, rows: number): Predictions {
    const { classes, present, by } = this.state;
    const constant =
      'constant' in by
        ? Float32Array.from({ length: rows * by.constant.length }, (_, i) => by.constant[i % by.constant.length]!)
        : undefined;
    if (classes === 0) return { task: 'regression', values: constant ?? Float32Array.from(decisions) };
    return { task: 'classification', classes, probabilities: constant ?? couple(decisions, present, classes) };
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    const { classes, present, by } = this.state;
    if ('constant' in by) {
      const first = graph.node('Gather', [input, graph.int64s([0])], { axis: { int: 1 } });
      const zero = graph.node('Mul', [graph.node('Cast', [graph.node('IsNaN', [first])], { to: { int: float32 } }), graph.floats([0])]);
      return graph.node('Add', [zero, graph.floats(by.constant)]);
    }
    const decisions = 'line' in by ? affineToOnnx(by.line, graph, input) : expansionToOnnx(by.expansion, graph, input);
    if (classes > 0) return coupleToOnnx(graph, decisions, present, classes);
    return graph.node('Cast', [decisions], { to: { int: float32 } });
  }

  serialize(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify({ format, ...this.state }));
  }

  static deserialize(bytes: Uint8Array): SvmModel {
    const { format: found, ...state } = JSON.parse(new TextDecoder().decode(bytes)) as SvmState & { format: number };
    if (found !== format) throw new RangeError(`this is format ${found} of a support vector machine; known is ${format}`);
    return new SvmModel(state);
  }
}
