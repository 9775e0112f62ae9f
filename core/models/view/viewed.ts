/** Lets a family see a table's features in its own way (view.ts): what is fitted for that is part of the model, and of its graph. */
import type { Additive } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Family, FittedModel, Matrix, Params, Predictions, Target } from '../model.ts';
import { applyView, type View, viewToOnnx } from './view.ts';

/** Stands where a model without a view has the length of its head, or text. */
const marker = 0xffff_ffff;
const format = 1;

/** What each graph has of views already. */
const seenIn = new WeakMap<GraphBuilder, Map<string, string>>();

/** What the family sees, fitted on `rows`; undefined where that is the features as they are. */
type FitView = (x: Matrix, y: Target, rows: Int32Array, params: Params) => View | undefined;

/** The family, with all that it is given seen through a view. @param by the parameter that the view depends on */
export function viewed(family: Family, fitView: FitView, by = ''): Family {
  const { fitFold } = family;
  const model = (view: View | undefined, inner: FittedModel) => (view ? new ViewedModel(view, inner) : inner);
  const seen = (view: View | undefined, x: Matrix) => (view ? applyView(view, x) : x);
  return {
    ...family,

    async fit(x, y, params, context) {
      const rows = Int32Array.from({ length: x.rows }, (_, row) => row);
      const view = fitView(x, y, rows, family.parse(params));
      return model(view, await family.fit(seen(view, x), y, params, context));
    },

    ...(fitFold && {
      async fitFold(x, y, rows, validRows, params, context) {
        const view = fitView(x, y, rows, family.parse(params));
        const fit = await fitFold(seen(view, x), y, rows, validRows, params, context);
        return { ...fit, model: model(view, fit.model) };
      },
    }),

    /** Candidates that see the same are fitted together. */
    async *predictGrid(x, y, rows, validRows, candidates, context) {
      const groups = Map.groupBy(candidates.keys(), (index) => family.parse(candidates[index]!)[by]);
      let finished = 0;
      for (const members of groups.values()) {
        const onProgress = (done: number) => context.onProgress?.((finished + done * members.length) / candidates.length);
        const own = members.map((index) => candidates[index]!);
        const view = fitView(x, y, rows, family.parse(own[0]!));
        const inner = family.predictGrid(seen(view, x), y, rows, validRows, own, { ...context, onProgress });
        for await (const { candidate, predictions } of inner) yield { candidate: members[candidate]!, predictions };
        finished += members.length;
      }
    },

    deserialize(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      return view.getUint32(0, true) === marker ? ViewedModel.read(family, bytes) : family.deserialize(bytes);
    },
  };
}

/** Its bytes: the marker and the length of a JSON head (uint32, little-endian), the head, the model's own bytes. */
class ViewedModel implements FittedModel {
  private readonly view: View;
  private readonly inner: FittedModel;

  constructor(view: View, inner: FittedModel) {
    this.view = view;
    this.inner = inner;
  }

  get family(): string {
    return this.inner.family;
  }

  get params(): Params {
    return this.inner.params;
  }

  get treeCount(): number | undefined {
    return this.inner.treeCount;
  }

  get steps(): number | undefined {
    return this.inner.steps;
  }

  get learningCurve(): readonly number[] | undefined {
    return this.inner.learningCurve;
  }

  predict(x: Matrix): Promise<Predictions> {
    return this.inner.predict(applyView(this.view, x));
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    return this.inner.toOnnx(graph, this.seenIn(graph, input));
  }

  logitsToOnnx(graph: GraphBuilder, input: string): string | undefined {
    return this.inner.logitsToOnnx?.(graph, this.seenIn(graph, input));
  }

  /** Models that see the same share its nodes. */
  private seenIn(graph: GraphBuilder, input: string): string {
    const known = seenIn.get(graph) ?? new Map<string, string>();
    seenIn.set(graph, known);
    const key = `${input} ${JSON.stringify(this.view)}`;
    const tensor = known.get(key) ?? viewToOnnx(this.view, graph, input);
    known.set(key, tensor);
    return tensor;
  }

  get additive(): (() => Additive) | undefined {
    const { inner, view } = this;
    return inner.additive && (() => ({ ...inner.additive!(), view }));
  }

  get first(): ((steps: number) => FittedModel) | undefined {
    const { inner, view } = this;
    return inner.first && ((steps) => new ViewedModel(view, inner.first!(steps)));
  }

  serialize(): Uint8Array {
    const head = Buffer.from(JSON.stringify({ format, view: this.view }));
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(marker);
    lengths.writeUInt32LE(head.length, 4);
    return new Uint8Array(Buffer.concat([lengths, head, this.inner.serialize()]));
  }

  static read(family: Family, bytes: Uint8Array): ViewedModel {
    const end = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(8, end))) as { format: number; view: View };
    if (head.format !== format) throw new RangeError(`this is format ${head.format} of a view; known is ${format}`);
    // A copy, since arrays in it may want an aligned start.
    return new ViewedModel(head.view, family.deserialize(bytes.slice(end)));
  }
}
