import type { AdditiveLinear } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { type AffineMap, affineToOnnx, applyAffine, weightOf } from '../exact/affine.ts';
import { softmax, softmaxToOnnx } from '../exact/softmax.ts';
import type { FittedModel, Matrix, Params, Predictions } from '../model.ts';

const format = 1;
const float32 = 1;

/** What a fitted linear model keeps; as JSON, its bytes. */
export interface LinearState {
  params: Params;
  /** Of a classification; 0 otherwise. */
  classes: number;
  /** To the classes' logits, that of the first of two classes being 0, or to the value. */
  map: AffineMap;
  /** The objective before the first epoch (or iteration, of lbfgs) and after each. */
  learningCurve: number[];
}

/** Logistic or linear regression. */
export class LinearModel implements FittedModel {
  readonly family = 'linear';
  private readonly state: LinearState;

  constructor(state: LinearState) {
    this.state = state;
  }

  get params(): Params {
    return this.state.params;
  }

  get learningCurve(): readonly number[] {
    return this.state.learningCurve;
  }

  get intercepts(): readonly number[] {
    return this.state.map.intercepts;
  }

  /** Of each feature, by output: the classes, or the one value. */
  coefficients(): number[][] {
    const { map } = this.state;
    return Array.from({ length: map.features }, (_, f) => Array.from({ length: map.outputs }, (_, k) => weightOf(map, f, k)));
  }

  async predict(x: Matrix): Promise<Predictions> {
    const { map, classes } = this.state;
    const answers = applyAffine(map, x);
    if (classes > 0) return { task: 'classification', classes, probabilities: softmax(answers, classes) };
    return { task: 'regression', values: Float32Array.from(answers) };
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    const { map, classes } = this.state;
    const answers = affineToOnnx(map, graph, input);
    return classes > 0 ? softmaxToOnnx(graph, answers) : graph.node('Cast', [answers], { to: { int: float32 } });
  }

  additive(): AdditiveLinear {
    const { map, classes } = this.state;
    // Of two classes the log-odds of the second.
    const outputs = classes > 2 ? classes : 1;
    const of = (numbers: readonly number[]) => (classes === 2 ? [numbers[1]! - numbers[0]!] : numbers);
    return {
      kind: 'linear',
      is: classes === 0 ? 'value' : outputs === 1 ? 'log-odds' : 'score',
      outputs,
      weights: this.coefficients().flatMap(of),
      intercepts: [...of(map.intercepts)],
      bounds: map.exponents.map((exponent) => 2 ** exponent),
    };
  }

  logitsToOnnx(graph: GraphBuilder, input: string): string | undefined {
    return this.state.classes > 0 ? affineToOnnx(this.state.map, graph, input) : undefined;
  }

  serialize(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify({ format, ...this.state }));
  }

  static deserialize(bytes: Uint8Array): LinearModel {
    const { format: found, ...state } = JSON.parse(new TextDecoder().decode(bytes)) as LinearState & { format: number };
    if (found !== format) throw new RangeError(`this is format ${found} of a linear model; known is ${format}`);
    return new LinearModel(state);
  }
}
