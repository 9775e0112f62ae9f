/**
 * Metrics of the hot path: summed in memory and written at most once a second, as a line of CloudWatch's embedded metric format
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 */
export class Counters {
  private readonly namespace: string;
  private readonly emit: (line: string) => void;
  private readonly sums = new Map<string, number>();
  private flushedAt = 0;

  constructor(namespace: string, emit: (line: string) => void) {
    this.namespace = namespace;
    this.emit = emit;
  }

  add(metric: string, value: number): void {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + value);
  }

  flushIfDue(): void {
    if (this.sums.size === 0) return;
    const now = Date.now();
    if (now - this.flushedAt < 1000) return;
    this.flushedAt = now;
    const metrics = [...this.sums.keys()].map((Name) => ({ Name, Unit: 'Count' }));
    const directive = { Namespace: this.namespace, Dimensions: [[]], Metrics: metrics };
    this.emit(JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics: [directive] }, ...Object.fromEntries(this.sums) }));
    this.sums.clear();
  }
}
