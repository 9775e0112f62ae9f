/** CloudWatch metrics: sums by the minute, kept for days, with percentiles to 2 %. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonLines, writeDurablySync } from '../home.ts';

export interface Dimension {
  Name: string;
  Value: string;
}

/** What happened to one metric in one minute. */
export interface Bucket {
  sum: number;
  count: number;
  min: number;
  max: number;
  /** Count of values by the logarithm that they round to, for percentiles. */
  bins: Record<string, number>;
}

interface SavedMinute {
  namespace: string;
  name: string;
  dimensions: Dimension[];
  unit: string;
  minute: number;
  bucket: Bucket;
}

const minuteMs = 60_000;
/** CloudWatch keeps minutes for 15 days. */
const keptMinutes = 15 * 24 * 60;
/** Neighbouring bins differ by 2 %. */
const binWidth = Math.log(1.02);

/** One metric with one set of dimensions. */
export class Series {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimension[];
  unit: string;
  readonly minutes = new Map<number, Bucket>();

  constructor(namespace: string, name: string, dimensions: Dimension[], unit: string) {
    this.namespace = namespace;
    this.name = name;
    this.dimensions = dimensions;
    this.unit = unit;
  }

  add(value: number, at: number, times = 1): void {
    const minute = Math.floor(at / minuteMs);
    let bucket = this.minutes.get(minute);
    if (!bucket) {
      bucket = { sum: 0, count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, bins: {} };
      this.minutes.set(minute, bucket);
    }
    bucket.sum += value * times;
    bucket.count += times;
    if (value < bucket.min) bucket.min = value;
    if (value > bucket.max) bucket.max = value;
    const bin = value > 0 ? Math.round(Math.log(value) / binWidth) : 'zero';
    bucket.bins[bin] = (bucket.bins[bin] ?? 0) + times;
  }

  /** The statistic over `[from, to)` in ms, or undefined where there are no values. */
  statistic(name: string, from: number, to: number): number | undefined {
    const merged = this.between(from, to);
    return merged && statistic(merged, name);
  }

  between(from: number, to: number): Bucket | undefined {
    let merged: Bucket | undefined;
    for (let minute = Math.floor(from / minuteMs); minute * minuteMs < to; minute++) {
      const bucket = this.minutes.get(minute);
      if (!bucket) continue;
      merged = merged
        ? {
            sum: merged.sum + bucket.sum,
            count: merged.count + bucket.count,
            min: Math.min(merged.min, bucket.min),
            max: Math.max(merged.max, bucket.max),
            bins: addBins(merged.bins, bucket.bins),
          }
        : bucket;
    }
    return merged;
  }
}

/** `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or `p<percent>`. */
export function statistic(bucket: Bucket, name: string): number {
  switch (name) {
    case 'Sum':
      return bucket.sum;
    case 'Average':
      return bucket.sum / bucket.count;
    case 'Minimum':
      return bucket.min;
    case 'Maximum':
      return bucket.max;
    case 'SampleCount':
      return bucket.count;
    default:
      return percentile(bucket, Number(name.slice(1)));
  }
}

function percentile(bucket: Bucket, percent: number): number {
  const bins = Object.entries(bucket.bins)
    .map(([bin, count]) => [bin === 'zero' ? 0 : Math.exp(Number(bin) * binWidth), count] as const)
    .sort(([a], [b]) => a - b);
  let left = (percent / 100) * bucket.count;
  for (const [value, count] of bins) {
    left -= count;
    if (left <= 0) return Math.min(bucket.max, Math.max(bucket.min, value));
  }
  return bucket.max;
}

function addBins(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sum = { ...a };
  for (const [bin, count] of Object.entries(b)) sum[bin] = (sum[bin] ?? 0) + count;
  return sum;
}

export class Metrics {
  readonly #series = new Map<string, Series>();
  readonly #path: string;
  #savedUpTo: number;

  constructor(home: string, now = Date.now()) {
    this.#path = join(home, 'metrics.jsonl');
    const oldest = Math.floor(now / minuteMs) - keptMinutes;
    const saved = readJsonLines<SavedMinute>(this.#path);
    const kept = saved.filter(({ minute }) => minute >= oldest);
    if (kept.length < saved.length) writeDurablySync(this.#path, kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
    // A minute that was cut by a restart is there twice, the second time as a whole.
    for (const { namespace, name, dimensions, unit, minute, bucket } of kept) {
      this.series(namespace, name, dimensions, unit).minutes.set(minute, bucket);
    }
    this.#savedUpTo = Math.floor(now / minuteMs);
  }

  /** The series, made where it is new; hold on to it where much is added. */
  series(namespace: string, name: string, dimensions: Dimension[], unit = 'None'): Series {
    const key = keyOf(namespace, name, dimensions);
    let series = this.#series.get(key);
    if (!series) {
      series = new Series(namespace, name, dimensions, unit);
      this.#series.set(key, series);
    }
    return series;
  }

  find(namespace: string, name: string, dimensions: Dimension[]): Series | undefined {
    return this.#series.get(keyOf(namespace, name, dimensions));
  }

  all(): Series[] {
    return [...this.#series.values()];
  }

  /** Appends what is complete to the file: minutes before `now`'s, or this one too. */
  save(now = Date.now(), alsoThisMinute = false): void {
    const current = Math.floor(now / minuteMs) + (alsoThisMinute ? 1 : 0);
    const lines: string[] = [];
    for (const { namespace, name, dimensions, unit, minutes } of this.#series.values()) {
      for (const [minute, bucket] of minutes) {
        if (minute < current - keptMinutes) minutes.delete(minute);
        if (minute < this.#savedUpTo || minute >= current) continue;
        lines.push(JSON.stringify({ namespace, name, dimensions, unit, minute, bucket } satisfies SavedMinute));
      }
    }
    if (lines.length > 0) appendFileSync(this.#path, `${lines.join('\n')}\n`);
    this.#savedUpTo = current;
  }
}

function keyOf(namespace: string, name: string, dimensions: Dimension[]): string {
  const sorted = dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  return [namespace, name, ...sorted].join('\0');
}

interface EmbeddedMetrics {
  _aws?: {
    Timestamp?: number;
    CloudWatchMetrics?: { Namespace: string; Dimensions?: string[][]; Metrics: { Name: string; Unit?: string }[] }[];
  };
  [key: string]: unknown;
}

/** Takes the metrics out of a log line in CloudWatch's embedded metric format; other lines do nothing. */
export function takeEmbedded(line: string, metrics: Metrics, now = Date.now()): void {
  if (!line.startsWith('{') || !line.includes('"CloudWatchMetrics"')) return;
  let document: EmbeddedMetrics;
  try {
    document = JSON.parse(line) as EmbeddedMetrics;
  } catch {
    return;
  }
  for (const directive of document._aws?.CloudWatchMetrics ?? []) {
    for (const names of directive.Dimensions ?? [[]]) {
      const dimensions = names.map((Name) => ({ Name, Value: String(document[Name]) }));
      for (const { Name, Unit } of directive.Metrics) {
        for (const value of [document[Name]].flat()) {
          if (typeof value === 'number')
            metrics.series(directive.Namespace, Name, dimensions, Unit).add(value, document._aws?.Timestamp ?? now);
        }
      }
    }
  }
}
