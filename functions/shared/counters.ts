import { embedded } from './embedded-metrics.ts';

/**
 * Metrics, summed in memory and written as a line of CloudWatch's embedded metric format. They have no dimensions, as the dashboard asks for one
 * number for the whole product; Powertools' metrics cannot say that: they write `Dimensions: []` where the format wants `[[]]`.
 */
export class Counters {
  private readonly emit: (line: string) => void;
  private readonly sums = new Map<string, number>();
  private flushedAt = 0;

  /** @param emit writes a line; by default to standard output, where CloudWatch reads it */
  constructor(emit: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.emit = emit;
  }

  add(metric: string, value: number): void {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + value);
  }

  /** At most a line a second, for where a line a request would cost more than the request. */
  flushIfDue(): void {
    if (Date.now() - this.flushedAt >= 1000) this.flush();
  }

  flush(): void {
    if (this.sums.size === 0) return;
    const now = Date.now();
    this.flushedAt = now;
    const readings = [...this.sums].map(([name, value]) => ({ name, unit: 'Count' as const, value }));
    this.emit(embedded(readings, [[]], {}, now));
    this.sums.clear();
  }
}
