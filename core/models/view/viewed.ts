/** Lets a family see a table's features in its own way (view.ts): what is fitted for that is part of the model, and of its graph. */
import type { Additive } from '../../explain/additive.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Family, FittedModel, Matrix, Params, Predictions, Target } from '../model.ts';
import { unwrapping, WrappedModel } from '../wrapped.ts';
import { applyView } from './apply-view.ts';
import type { View } from './view.ts';
import { viewToOnnx } from './view-onnx.ts';

const marker = 0xffff_ffff;

/** What each graph has of views already. */
const seenIn = new WeakMap<GraphBuilder, Map<string, string>>();

/** What the family sees, fitted on `rows`; undefined where that is the features as they are. */
type FitView = (x: Matrix, y: Target, rows: Int32Array, params: Params) => View | undefined;

/** The family, with all that it is given seen through a view. @param by the parameter that the view depends on */
export function viewed(family: Family, fitView: FitView, by = ''): Family {
  const { fitFold } = family;
  const model = (view: View | undefined, inner: FittedModel) => (view ? new ViewedModel({ view }, inner) : inner);
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

    deserialize: unwrapping<{ view: View }>(family, marker, (head, inner) => new ViewedModel(head, inner)),
  };
}

class ViewedModel extends WrappedModel<{ view: View }> {
  protected readonly marker = marker;

  protected around(inner: FittedModel): FittedModel {
    return new ViewedModel(this.head, inner);
  }

  predict(x: Matrix): Promise<Predictions> {
    return this.inner.predict(applyView(this.head.view, x));
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    return this.inner.toOnnx(graph, this.seenIn(graph, input));
  }

  logitsToOnnx(graph: GraphBuilder, input: string): string | undefined {
    return this.inner.logitsToOnnx?.(graph, this.seenIn(graph, input));
  }

  additive(): Additive | undefined {
    const additive = this.inner.additive?.();
    return additive && additive.kind !== 'sum' ? { ...additive, view: this.head.view } : additive;
  }

  /** Models that see the same share its nodes. */
  private seenIn(graph: GraphBuilder, input: string): string {
    const known = seenIn.get(graph) ?? new Map<string, string>();
    seenIn.set(graph, known);
    const key = `${input} ${JSON.stringify(this.head.view)}`;
    const tensor = known.get(key) ?? graph.seen?.(this.head.view, input) ?? viewToOnnx(this.head.view, graph, input);
    known.set(key, tensor);
    return tensor;
  }
}
