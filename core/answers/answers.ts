/**
 * What turns a model's raw answer into an honest one: calibrated probabilities, a label by the metric's own threshold, and a set of classes or
 * an interval that holds the truth as often as was asked. In our own arithmetic and in ONNX: the same operations, so the same bits.
 */
import type { Predictions } from '../models/model.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type Calibration, calibrate, calibrationToOnnx } from './calibration.ts';
import { type Decision, decide } from './decision.ts';
import { type Intervals, intervalsOf, intervalsToOnnx } from './intervals.ts';
import { setsOf } from './sets.ts';

export interface Answers {
  /** Absent where the probabilities are good as they are. */
  calibration?: Calibration;
  /** Absent where the label is the likeliest class. */
  decision?: Decision;
  /** How often sets and intervals hold the truth; absent where there are none. */
  coverage?: number;
  /** Of a classification with a coverage: a class from this probability on, float32, is in the set. */
  setFrom?: number;
  /** Of a regression with a coverage. */
  intervals?: Intervals;
}

/** Predictions with labels, and with sets or intervals where the answers have them. */
export type Answered =
  | (Extract<Predictions, { task: 'classification' }> & {
      /** The class of each row. */
      labels: Int32Array;
      /** 1 where a class is in the row's set, [rows × classes]. */
      set?: Uint8Array;
    })
  | (Extract<Predictions, { task: 'regression' }> & {
      /** From, to, [rows × 2]. */
      interval?: Float32Array;
    });

/** @param predictions the model's own */
export function answer(answers: Answers, predictions: Predictions): Answered {
  if (predictions.task === 'regression') {
    const { intervals } = answers;
    return intervals ? { ...predictions, interval: intervalsOf(intervals, predictions.values) } : predictions;
  }
  const { classes } = predictions;
  const { calibration, decision, setFrom } = answers;
  const probabilities = calibration ? calibrate(calibration, predictions.probabilities) : predictions.probabilities;
  const labels = decide(probabilities, classes, decision);
  return { task: 'classification', classes, probabilities, labels, ...(setFrom !== undefined && { set: setsOf(probabilities, setFrom) }) };
}

/** Names of tensors: a classification's, or a regression's. */
export interface AnswerTensors {
  /** float32 [N, classes] or [N, 1]. */
  numbers: string;
  /** int64 [N]: which class; of a classification. */
  best?: string;
  /** bool [N, classes]. */
  set?: string;
  /** float32 [N, 2]. */
  interval?: string;
}

/** @param numbers name of the model's float32 tensor of probabilities or values */
export function answerToOnnx(
  { calibration, decision, setFrom, intervals }: Answers,
  task: Predictions['task'],
  graph: GraphBuilder,
  numbers: string,
): AnswerTensors {
  if (task === 'regression') return { numbers, ...(intervals && { interval: intervalsToOnnx(intervals, graph, numbers) }) };
  const probabilities = calibration ? calibrationToOnnx(calibration, graph, numbers) : numbers;
  const weighed = decision ? graph.node('Mul', [probabilities, graph.floats(decision)]) : probabilities;
  return {
    numbers: probabilities,
    best: graph.node('ArgMax', [weighed], { axis: { int: 1 }, keepdims: { int: 0 } }),
    ...(setFrom !== undefined && { set: graph.node('GreaterOrEqual', [probabilities, graph.floats([setFrom])]) }),
  };
}
