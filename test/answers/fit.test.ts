/** What is fitted on out-of-fold predictions: where it helps, where it must not do anything, and what it promises. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/answers/calibration.ts';
import { decide } from '../../core/answers/decision.ts';
import { fitCalibration } from '../../core/answers/fit-calibration.ts';
import { fitDecision, matricesOf, thresholdMatrices } from '../../core/answers/fit-decision.ts';
import { fitIntervals, intervalsOf } from '../../core/answers/intervals.ts';
import { fitSetThreshold, setsOf } from '../../core/answers/sets.ts';
import { Random } from '../../core/random.ts';
import { confusionMatrix, labelScores, logLoss } from '../../core/search/metrics.ts';

/** Rows whose second class has the probability that is said, or e to another power of its log-odds. */
function drawn(rows: number, seed: number, { power = 1, shift = 0 } = {}) {
  const random = new Random(seed);
  const probabilities = new Float32Array(rows * 2);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const said = 6 * (random.uniform() - 0.5) + shift;
    const p = 1 / (1 + Math.exp(-said));
    probabilities.set([1 - p, p], row * 2);
    labels[row] = random.uniform() < 1 / (1 + Math.exp(-said * power)) ? 1 : 0;
  }
  return { probabilities, labels };
}

describe('calibration', () => {
  test('leaves probabilities alone that are what they say', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { probabilities, labels } = drawn(2000, seed);
      expect(fitCalibration(probabilities, labels, 2)).toBeUndefined();
    }
  });

  test('finds by what power the odds of an overconfident model are too large', () => {
    const { probabilities, labels } = drawn(4000, 1, { power: 0.4 });
    const calibration = fitCalibration(probabilities, labels, 2)!;
    if (calibration.kind !== 'temperature') throw new Error(`a calibration by ${calibration.kind}`);
    expect(calibration.scales[0]).toBeGreaterThan(0.35);
    expect(calibration.scales[0]).toBeLessThan(0.45);
    const fresh = drawn(4000, 2, { power: 0.4 });
    const before = logLoss(fresh.labels, fresh.probabilities, 2);
    expect(logLoss(fresh.labels, calibrate(calibration, fresh.probabilities), 2)).toBeLessThan(before - 0.05);
  });

  test('gives a class that was said to be impossible the chance that it has', () => {
    const rows = 1000;
    const probabilities = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? 1 : 0));
    const labels = Int32Array.from({ length: rows }, (_, row) => (row % 20 === 0 ? 1 : 0));
    const calibration = fitCalibration(probabilities, labels, 2)!;
    expect(calibrate(calibration, Float32Array.of(1, 0))[1]).toBeCloseTo(0.05, 2);
  });

  test('survives rows that are all right', () => {
    const probabilities = Float32Array.from({ length: 200 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 1 : 0));
    const labels = Int32Array.from({ length: 100 }, (_, row) => row % 2);
    const calibration = fitCalibration(probabilities, labels, 2);
    if (calibration && 'scales' in calibration) for (const scale of calibration.scales) expect(scale).toBeLessThan(10);
  });

  test('follows a curve that no scale has, and keeps the order of what it is told', () => {
    const steps = (rows: number, seed: number) => {
      const random = new Random(seed);
      const said = Float32Array.from({ length: rows }, () => random.uniform());
      return {
        probabilities: Float32Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? 1 - said[i >> 1]! : said[i >> 1]!)),
        labels: Int32Array.from(said, (p) => (random.uniform() < (p < 0.3 ? 0.02 : p < 0.8 ? 0.5 : 0.6) ? 1 : 0)),
      };
    };
    const [fitted, fresh] = [steps(5000, 1), steps(5000, 2)];
    const calibration = fitCalibration(fitted.probabilities, fitted.labels, 2)!;
    expect(calibration.kind).toBe('isotonic');
    const calibrated = calibrate(calibration, fresh.probabilities);
    expect(logLoss(fresh.labels, calibrated, 2)).toBeLessThan(logLoss(fresh.labels, fresh.probabilities, 2) - 0.1);
    const order = Array.from(fresh.labels.keys()).sort((a, b) => fresh.probabilities[2 * a + 1]! - fresh.probabilities[2 * b + 1]!);
    order.forEach((row, at) => {
      expect(calibrated[2 * row]! + calibrated[2 * row + 1]!).toBeCloseTo(1, 6);
      expect(calibrated[2 * row + 1]).toBeGreaterThan(0);
      if (at > 0) expect(calibrated[2 * row + 1]).toBeGreaterThanOrEqual(calibrated[2 * order[at - 1]! + 1]!);
    });
  });
});

/** Rows of classes that are said with probabilities whose odds are too large in the middle and right at the ends: no scale and no bias mends that. */
function bent(rows: number, classes: number, seed: number) {
  const random = new Random(seed);
  const probabilities = new Float32Array(rows * classes);
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const logits = Float64Array.from({ length: classes }, () => 5 * random.uniform());
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    probabilities.set(
      logits.map((logit) => Math.exp(logit) / total),
      row * classes,
    );
    const chances = probabilities.subarray(row * classes, (row + 1) * classes).map((p) => (p < 0.2 ? 0.02 : p < 0.75 ? 0.4 : 0.5));
    let left = random.uniform() * chances.reduce((a, b) => a + b, 0);
    for (let k = 0; k < classes; k++) {
      left -= chances[k]!;
      if (left <= 0) return k;
    }
    return classes - 1;
  });
  return { probabilities, labels };
}

describe('calibration of three classes and more', () => {
  test.each([3, 5])('%i follow curves of their own where no scales do', (classes) => {
    const [fitted, fresh] = [bent(8000, classes, 1), bent(8000, classes, 2)];
    const calibration = fitCalibration(fitted.probabilities, fitted.labels, classes)!;
    expect(calibration.kind).toBe('isotonic');
    const calibrated = calibrate(calibration, fresh.probabilities);
    expect(logLoss(fresh.labels, calibrated, classes)).toBeLessThan(logLoss(fresh.labels, fresh.probabilities, classes) - 0.03);
    for (let row = 0; row < fresh.labels.length; row++) {
      const own = calibrated.subarray(row * classes, (row + 1) * classes);
      expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      for (const p of own) expect(p).toBeGreaterThan(0);
    }
  });

  test('leaves them alone where they are what they say, and where rows are too few for curves', () => {
    const random = new Random(3);
    const sound = (rows: number) => {
      const { probabilities } = bent(rows, 3, 4);
      const labels = Int32Array.from({ length: rows }, (_, row) => {
        const drawn = random.uniform();
        const [a, b] = probabilities.subarray(row * 3, row * 3 + 2) as unknown as [number, number];
        return drawn < a ? 0 : drawn < a + b ? 1 : 2;
      });
      return fitCalibration(probabilities, labels, 3)?.kind;
    };
    expect(sound(6000)).toBeUndefined();
    const few = bent(1000, 3, 5);
    expect(fitCalibration(few.probabilities, few.labels, 3)?.kind).not.toBe('isotonic');
  });
});

describe('a decision', () => {
  const rare = drawn(4000, 3, { shift: -2.5 });
  const scoreOf = (labels: Int32Array) => labelScores(confusionMatrix(rare.labels, labels, 2));

  test('for balanced accuracy names the rare class from its share on', () => {
    const decision = fitDecision('balancedAccuracy', rare.probabilities, rare.labels, 2)!;
    const threshold = decision[0]! / (decision[0]! + decision[1]!);
    const share = rare.labels.reduce((a, b) => a + b, 0) / rare.labels.length;
    expect(Math.abs(threshold - share)).toBeLessThan(0.1);
    const [tuned, plain] = [decision, undefined].map((each) => scoreOf(decide(rare.probabilities, 2, each)));
    expect(tuned!.balancedAccuracy).toBeGreaterThan(plain!.balancedAccuracy + 0.1);
  });

  test('for F1 and Matthews’ correlation is better too', () => {
    for (const metric of ['f1Macro', 'mcc'] as const) {
      const decision = fitDecision(metric, rare.probabilities, rare.labels, 2);
      expect(scoreOf(decide(rare.probabilities, 2, decision))[metric]).toBeGreaterThan(
        scoreOf(decide(rare.probabilities, 2, undefined))[metric],
      );
    }
  });

  test('is the likeliest class where that is the best: for accuracy of calibrated probabilities, and for metrics of probabilities', () => {
    const even = drawn(4000, 4);
    expect(fitDecision('accuracy', even.probabilities, even.labels, 2)).toBeUndefined();
    expect(fitDecision('logLoss', rare.probabilities, rare.labels, 2)).toBeUndefined();
    expect(fitDecision('rocAuc', rare.probabilities, rare.labels, 2, [1, 5])).toEqual([1, 5]);
  });
});

test('each row looked at once gives the matrices of each threshold, where probabilities and thresholds are equal too', () => {
  const share = fc.oneof(
    fc.constantFrom(0, 0.25, 0.5, 1),
    fc.integer({ min: 1, max: 99 }).map((hundredths) => hundredths / 100),
  );
  const rows = fc.array(fc.tuple(share, fc.constantFrom(0, 1)), { maxLength: 60 });
  fc.assert(
    fc.property(rows, fc.uniqueArray(share, { minLength: 1 }), (drawn, chosen) => {
      const probabilities = Float32Array.from(drawn.flatMap(([p]) => [1 - p, p]));
      const labels = Int32Array.from(drawn, ([, label]) => label);
      const thresholds = chosen.sort((a, b) => a - b).map((t) => [Math.fround(t), Math.fround(1 - t)]);
      const each = thresholds.map((weights) => matricesOf(decide(probabilities, 2, weights), labels, 2));
      expect(thresholdMatrices(thresholds, probabilities, labels)).toEqual(each);
    }),
  );
});

describe('a promise of coverage is kept on fresh rows', () => {
  test.each([0.5, 0.8, 0.9, 0.99])('by sets, at %f', (coverage) => {
    const [fitted, fresh] = [drawn(4000, 5), drawn(4000, 6)];
    const from = fitSetThreshold(fitted.probabilities, fitted.labels, 2, coverage);
    const sets = setsOf(fresh.probabilities, from);
    const held = fresh.labels.filter((label, row) => sets[row * 2 + label] === 1).length / fresh.labels.length;
    expect(Math.abs(held - coverage)).toBeLessThan(0.02);
  });

  test.each([0.5, 0.8, 0.9, 0.99])('by intervals, at %f; wider where values are less certain', (coverage) => {
    const random = new Random(7);
    const draw = (rows: number) => {
      const values = Float32Array.from({ length: rows }, () => 100 * random.uniform());
      return { values, truth: Float64Array.from(values, (value) => value + (value / 10) * (random.uniform() - random.uniform())) };
    };
    const [fitted, fresh] = [draw(4000), draw(4000)];
    const intervals = fitIntervals(fitted.values, fitted.truth, coverage);
    const bounds = intervalsOf(intervals, fresh.values);
    const held = fresh.truth.filter((value, row) => value >= bounds[row * 2]! && value <= bounds[row * 2 + 1]!).length / 4000;
    expect(Math.abs(held - coverage)).toBeLessThan(0.025);
    expect(intervals.edges.length).toBeGreaterThan(2);
    const width = intervals.high.map((high, i) => high - intervals.low[i]!);
    expect(width.at(-1)).toBeGreaterThan(3 * width[0]!);
  });

  test('an interval has its own value, wherever the truth lies', () => {
    const values = Float32Array.from({ length: 200 }, (_, row) => row);
    const truth = Float64Array.from(values, (value, row) => (row % 50 === 0 ? 1e9 : value - 5));
    const intervals = fitIntervals(values, truth, 0.9);
    expect(Math.max(...intervals.low)).toBeLessThan(0);
    const bounds = intervalsOf(intervals, values);
    values.forEach((value, row) => {
      expect(bounds[row * 2]).toBeLessThanOrEqual(value);
      expect(bounds[row * 2 + 1]).toBeGreaterThanOrEqual(value);
    });
  });

  test('of few rows: every class, and the whole range', () => {
    expect(fitSetThreshold(Float32Array.of(0.9, 0.1), Int32Array.of(0), 2, 0.9)).toBe(0);
    expect(fitIntervals(Float32Array.of(1, 2, 3), Float64Array.of(1.5, 2, 2.5), 0.9)).toEqual({ edges: [], low: [-0.5], high: [0.5] });
  });
});
