/**
 * Metrics, summed in memory and written as a line of CloudWatch's embedded metric format
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html). They have no
 * dimensions, as the dashboard asks for one number for the whole product; Powertools' metrics cannot say that: they write
 * `Dimensions: []` where the format wants `[[]]`.
 */
export class Counters {
  private readonly namespace: string;
  private readonly emit: (line: string) => void;
  private readonly sums = new Map<string, number>();
  private flushedAt = 0;

  /** @param emit writes a line; by default to standard output, where CloudWatch reads it */
  constructor(namespace: string, emit: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.namespace = namespace;
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
    const metrics = [...this.sums.keys()].map((Name) => ({ Name, Unit: 'Count' }));
    const directive = { Namespace: this.namespace, Dimensions: [[]], Metrics: metrics };
    this.emit(JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics: [directive] }, ...Object.fromEntries(this.sums) }));
    this.sums.clear();
  }
}
