/** Metrics of compute: how long the queues are, how jobs end, and what they use of what they asked for. */
import { computeMetricNames, metricsNamespace } from '../../core/names.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type Job, memoryOf, vcpusOf } from './job.ts';
import type { JobQueue } from './queue.ts';
import type { Usage } from './usage.ts';

export class BatchMetrics {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  look(queues: Iterable<JobQueue>, now: number): void {
    for (const queue of queues) {
      const waiting = queue.waiting(now);
      const oldest = waiting.reduce((since, { state }) => Math.min(since, state.createdAt), now);
      const { name } = queue.settings;
      this.#add(name, computeMetricNames.jobsWaiting, waiting.length, 'Count', now);
      this.#add(name, computeMetricNames.oldestJob, (now - oldest) / 1000, 'Seconds', now);
      this.#add(name, computeMetricNames.jobsRunning, queue.running, 'Count', now);
    }
  }

  /** Arrays are counted by their children. */
  ended(job: Job, now = Date.now()): void {
    if (job.isArray) return;
    const name = job.state.status === 'SUCCEEDED' ? computeMetricNames.jobsSucceeded : computeMetricNames.jobsFailed;
    this.#add(queueNameOf(job), name, 1, 'Count', now);
  }

  interrupted(job: Job, now = Date.now()): void {
    this.#add(queueNameOf(job), computeMetricNames.jobsInterrupted, 1, 'Count', now);
  }

  used(job: Job, { cpuSeconds, memoryMb }: Usage, seconds: number, now = Date.now()): void {
    const { container } = job.spec;
    this.#add(queueNameOf(job), computeMetricNames.jobCpu, (100 * cpuSeconds) / seconds / vcpusOf(container), 'Percent', now);
    this.#add(queueNameOf(job), computeMetricNames.jobMemory, (100 * memoryMb) / memoryOf(container), 'Percent', now);
  }

  #add(queue: string, metric: string, value: number, unit: string, now: number): void {
    this.#metrics.series(metricsNamespace, metric, [{ Name: 'JobQueue', Value: queue }], unit).add(value, now);
  }
}

const queueNameOf = ({ spec }: Job) => spec.jobQueue.split('/')[1]!;
