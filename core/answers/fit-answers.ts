/** Finds calibration, decision and conformal sets or intervals on out-of-fold predictions. */
import type { Predictions, Target } from '../models/model.ts';
import type { MetricName } from '../spec.ts';
import type { Answers } from './answers.ts';
import { calibrate } from './calibration.ts';
import { fitCalibration } from './fit-calibration.ts';
import { fitDecision } from './fit-decision.ts';
import { fitIntervals } from './intervals.ts';
import { fitSetThreshold } from './sets.ts';

export interface Wanted {
  metric: MetricName;
  coverage: number;
}

/** @param predictions of rows by models that were not fitted on them, and `y` their truth */
export function fitAnswers(predictions: Predictions, y: Target, { metric, coverage }: Wanted): Answers {
  if (predictions.task === 'regression' && y.task === 'regression') {
    return { coverage, intervals: fitIntervals(predictions.values, y.values, coverage) };
  }
  if (predictions.task !== 'classification' || y.task !== 'classification')
    throw new TypeError('truth and predictions are of different tasks');
  const { classes } = predictions;
  const calibration = fitCalibration(predictions.probabilities, y.labels, classes);
  const probabilities = calibration ? calibrate(calibration, predictions.probabilities) : predictions.probabilities;
  const decision = fitDecision(metric, probabilities, y.labels, classes, weightsOf(y));
  const setFrom = fitSetThreshold(probabilities, y.labels, classes, coverage);
  return { ...(calibration && { calibration }), ...(decision && { decision }), coverage, setFrom };
}

/** The user's weights of classes say what an error costs: the label is then the one of least expected cost. */
export function weightsOf(y: Target): number[] | undefined {
  return y.task === 'classification' ? y.classWeights?.map(Math.fround) : undefined;
}
