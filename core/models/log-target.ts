/**
 * Amounts that spread over orders of magnitude, learned as logarithms: `target: 'log'`. The model answers e^z − c, times what makes the answers right
 * on average (Duan 1983), in its graph too.
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { exponential, exponentialToOnnx } from './exact/softmax.ts';
import type { Family, FittedModel, Matrix, Params, Predictions, Target } from './model.ts';
import type { Constraint } from './params.ts';
import { unwrapping, WrappedModel } from './wrapped.ts';

const [float32, float64] = [1, 11];
const marker = 0xffff_fffe;
/** Where amounts are less than this share of their mean, so much is added to all: to zero, 1 in hundredths of the mean. */
const leastShare = 0.01;
/** No answer is above so many times the largest amount. */
const headroom = 4;
/** What answers may be multiplied by to be right on average. */
const mostFactor = 2;

export const targetConstraint: Constraint = {
  default: 'asIs',
  allowed: "'asIs' or 'log'",
  accepts: (value) => value === 'asIs' || value === 'log',
  meaning:
    'Whether a regression learns the target or its logarithm, which suits amounts that are all at least 0 and mostly small; others are learned as they are.',
};

/** How amounts become logarithms and come back: z = ln(amount + shift), at most `top`; amount = factor · e^(z − top) − shift. */
interface Reading {
  shift: number;
  top: number;
  factor: number;
}

/** Whether amounts are spread so that their logarithms are less lopsided. */
export function isSkewed(values: Float64Array): boolean {
  const shift = shiftOf(values);
  return (
    shift !== undefined && skewness(values) > 1 && Math.abs(skewness(values.map((value) => Math.log(value + shift)))) < skewness(values) / 2
  );
}

/** The family, which takes `target: 'log'` too. */
export function logged(family: Family): Family {
  const { fitFold } = family;
  const shiftFor = (y: Target, rows: Int32Array, params: Params) =>
    y.task === 'regression' && params['target'] === 'log' ? shiftOf(Float64Array.from(rows, (row) => y.values[row]!)) : undefined;
  return {
    ...family,

    async fit(x, y, params, context) {
      const rows = Int32Array.from({ length: x.rows }, (_, row) => row);
      const shift = shiftFor(y, rows, family.parse(params));
      if (shift === undefined || y.task !== 'regression') return family.fit(x, y, params, context);
      const inner = await family.fit(x, logarithms(y.values, shift), params, context);
      const reading = readingOf(y.values, rows, shift, y.values, valuesOf(await inner.predict(x)));
      return new LoggedModel({ reading }, inner);
    },

    ...(fitFold && {
      /** The fold's own rows say what makes the answers right on average. */
      async fitFold(x, y, rows, validRows, params, context) {
        const shift = shiftFor(y, rows, family.parse(params));
        if (shift === undefined || y.task !== 'regression') return fitFold(x, y, rows, validRows, params, context);
        const fit = await fitFold(x, logarithms(y.values, shift), rows, validRows, params, context);
        const said = valuesOf(fit.predictions);
        const reading = readingOf(y.values, rows, shift, pick(y.values, validRows), said);
        return { ...fit, model: new LoggedModel({ reading }, fit.model), predictions: read(reading, said) };
      },
    }),

    async *predictGrid(x, y, rows, validRows, candidates, context) {
      const groups = Map.groupBy(candidates.keys(), (index) => shiftFor(y, rows, family.parse(candidates[index]!)));
      let finished = 0;
      for (const [shift, members] of groups) {
        const onProgress = (done: number) => context.onProgress?.((finished + done * members.length) / candidates.length);
        const own = members.map((index) => candidates[index]!);
        const isLog = shift !== undefined && y.task === 'regression';
        const target = isLog ? logarithms(y.values, shift) : y;
        const asked = isLog ? Int32Array.from([...rows, ...validRows]) : validRows;
        for await (const { candidate, predictions } of family.predictGrid(x, target, rows, asked, own, { ...context, onProgress })) {
          const at = members[candidate]!;
          if (!isLog) yield { candidate: at, predictions };
          else {
            const said = valuesOf(predictions);
            const reading = readingOf(y.values, rows, shift, pick(y.values, rows), said.subarray(0, rows.length));
            yield { candidate: at, predictions: read(reading, said.subarray(rows.length)) };
          }
        }
        finished += members.length;
      }
    },

    deserialize: unwrapping<{ reading: Reading }>(family, marker, (head, inner) => new LoggedModel(head, inner)),
  };
}

/** What is added to amounts before their logarithm; undefined where some are negative, or all zero. */
function shiftOf(values: Float64Array): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const value of values) {
    least = Math.min(least, value);
    sum += value;
  }
  const small = (leastShare * sum) / values.length;
  if (!(least >= 0 && small > 0 && small < Infinity)) return undefined;
  return least >= small ? 0 : small;
}

function logarithms(values: Float64Array, shift: number): Target {
  // Rows that are not learned from may have less.
  return { task: 'regression', values: values.map((value) => Math.log(Math.max(value + shift, Number.MIN_VALUE))) };
}

/** @param truth the amounts of rows of which the model says `said`, logarithms */
function readingOf(values: Float64Array, rows: Int32Array, shift: number, truth: Float64Array, said: Float32Array): Reading {
  const largest = rows.reduce((most, row) => Math.max(most, values[row]!), 0);
  const top = Math.log((largest + shift) * headroom);
  const plain: Reading = { shift, top, factor: Math.exp(top) };
  let sum = 0;
  for (const value of truth) sum += value + shift;
  let sumSaid = 0;
  for (const value of read(plain, said).values) sumSaid += value + shift;
  const ratio = sumSaid > 0 ? Math.max(1 / mostFactor, Math.min(mostFactor, sum / sumSaid)) : 1;
  return { ...plain, factor: plain.factor * ratio };
}

function read({ shift, top, factor }: Reading, said: Float32Array): Extract<Predictions, { task: 'regression' }> {
  return { task: 'regression', values: said.map((z) => exponential(Math.min(z, top) - top) * factor - shift) };
}

function readToOnnx({ shift, top, factor }: Reading, graph: GraphBuilder, said: string): string {
  const z = graph.node('Min', [graph.node('Cast', [said], { to: { int: float64 } }), graph.doubles([top])]);
  const power = exponentialToOnnx(graph, graph.node('Sub', [z, graph.doubles([top])]));
  const amount = graph.node('Sub', [graph.node('Mul', [power, graph.doubles([factor])]), graph.doubles([shift])]);
  return graph.node('Cast', [amount], { to: { int: float32 } });
}

class LoggedModel extends WrappedModel<{ reading: Reading }> {
  protected readonly marker = marker;

  protected around(inner: FittedModel): FittedModel {
    return new LoggedModel(this.head, inner);
  }

  async predict(x: Matrix): Promise<Predictions> {
    return read(this.head.reading, valuesOf(await this.inner.predict(x)));
  }

  toOnnx(graph: GraphBuilder, input: string): string {
    return readToOnnx(this.head.reading, graph, this.inner.toOnnx(graph, input));
  }
}

function valuesOf(predictions: Predictions): Float32Array {
  if (predictions.task !== 'regression') throw new TypeError('a regression was answered as a classification');
  return predictions.values;
}

const pick = (values: Float64Array, rows: Int32Array) => Float64Array.from(rows, (row) => values[row]!);

/** Third standardised moment; 0 where nothing varies. */
function skewness(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (value - mean) ** 2 / values.length;
    cubes += (value - mean) ** 3 / values.length;
  }
  return squares > 0 ? cubes / squares ** 1.5 : 0;
}
