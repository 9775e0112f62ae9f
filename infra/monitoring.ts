/** Alarms to a topic, each with its entry in docs/runbook.md, and a dashboard of what users would ask about. */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Dashboard, GraphWidget, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type ComputeMetric, computeDimensions, computeMetrics, metricNames, metricsNamespace } from '../core/names.ts';
import type { Batch } from './batch.ts';
import type { Config } from './config.ts';
import type { Preparation } from './preparation.ts';
import type { Serving } from './serving.ts';
import type { Training } from './training.ts';
import type { Watch } from './watch.ts';

export interface MonitoringProps {
  config: Config;
  topic: Topic;
  preparation: Preparation;
  training: Training;
  serving: Serving;
  /** Where there is Batch. */
  batch: Batch | undefined;
  jobs: Watch | undefined;
}

/** The metric's statistic is taken over this span. */
const period = Duration.minutes(5);

export class Monitoring extends Construct {
  private readonly topic: Topic;

  constructor(scope: Construct, id: string, { config, topic, preparation, training, serving, batch, jobs }: MonitoringProps) {
    super(scope, id);
    this.topic = topic;
    const { api } = serving;
    const functions = [
      ...[preparation.clean, preparation.transform, ...training.functions, serving.control, serving.predict],
      ...(jobs ? [jobs.watch] : []),
    ];
    const latency = (statistic: string) => api.metricLatency({ period, statistic });
    const failures = [training.stateMachine.metricFailed({ period }), training.stateMachine.metricTimedOut({ period })];

    this.alarm('ApiErrors', 'api-errors', api.metricServerError({ period, statistic: 'Sum' }), config.alarmApiErrors);
    this.alarm('ApiLatencyP95', 'api-latency', latency('p95'), config.alarmLatencyP95, 3);
    this.alarm('ApiLatencyP99', 'api-latency', latency('p99'), config.alarmLatencyP99, 3);
    for (const each of functions) {
      this.alarm(`${each.node.id}Errors`, 'function-errors', each.metricErrors({ period }), 1);
      this.alarm(`${each.node.id}Throttles`, 'function-throttles', each.metricThrottles({ period }), 1);
    }
    for (const queue of Object.values(preparation.deadLetters)) {
      const visible = queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' });
      this.alarm(queue.node.id, 'dead-letters', visible, 1);
    }
    this.alarm('FailedRuns', 'failed-runs', failures[0]!, 1);
    this.alarm('TimedOutRuns', 'timed-out-runs', failures[1]!, 1);
    const queues = batch?.queueNames() ?? [];
    for (const [machines, queue] of queues) {
      const of = (metric: ComputeMetric, statistic: string) => ofQueue(queue, metric, statistic);
      this.alarm(`${machines}QueueAge`, 'waiting-jobs', of('oldestJob', 'Maximum'), config.alarmQueueMinutes * 60);
      this.alarm(`${machines}FailedJobs`, 'failed-jobs', of('jobsFailed', 'Sum'), 1);
      this.alarm(`${machines}JobMemory`, 'job-memory', of('jobMemory', 'Maximum'), config.alarmJobMemory);
    }

    const ours = (...names: (keyof typeof metricNames)[]) =>
      names.map((name) => new Metric({ namespace: metricsNamespace, metricName: metricNames[name], statistic: 'Sum', period }));
    new Dashboard(this, 'Dashboard', {
      widgets: [
        [
          graph('API: requests and errors', [
            api.metricCount({ period }),
            api.metricClientError({ period }),
            api.metricServerError({ period }),
          ]),
          graph('API: latency, ms', [latency('p50'), latency('p95'), latency('p99')]),
        ],
        [
          graph('Predictions', ours('predictions', 'predictionErrors')),
          graph('Runs', [...ours('runsSucceeded', 'runsFailed'), training.stateMachine.metricTime({ period, statistic: 'p95' })]),
        ],
        [graph('Datasets', ours('datasetsCleaned', 'datasetsRejected')), graph('Rows', ours('rowsRead', 'rowsRejected'))],
        [
          graph(
            'Functions: errors',
            functions.map((each) => each.metricErrors({ period, label: each.node.id })),
          ),
          graph(
            'Functions: duration, ms, p95',
            functions.map((each) => each.metricDuration({ period, statistic: 'p95', label: each.node.id })),
          ),
        ],
        ...queues.map(([machines, queue]) => jobGraphs(machines, queue)),
      ],
    });
  }

  /** @param entry the heading of docs/runbook.md that says what to do. */
  private alarm(id: string, entry: string, metric: IMetric, threshold: number, evaluationPeriods = 1): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `What to do: docs/runbook.md#${entry}`,
      metric,
      threshold,
      evaluationPeriods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
  }
}

function ofQueue(queue: string, metric: ComputeMetric, statistic: string): Metric {
  const { name: metricName } = computeMetrics[metric];
  return new Metric({ namespace: metricsNamespace, metricName, dimensionsMap: { [computeDimensions.queue]: queue }, statistic, period });
}

/** A row for each queue. */
function jobGraphs(machines: string, queue: string): GraphWidget[] {
  const all = (statistic: string, ...metrics: ComputeMetric[]) => metrics.map((metric) => ofQueue(queue, metric, statistic));
  const gpu: ComputeMetric[] = machines === 'gpu' ? ['jobGpu', 'jobGpuMemory'] : [];
  return [
    graph(`Jobs on ${machines}: waiting and running`, all('Maximum', 'jobsWaiting', 'jobsRunning'), 6),
    graph(`Jobs on ${machines}: the oldest one waits, s`, all('Maximum', 'oldestJob'), 6),
    graph(`Jobs on ${machines}: how they end`, all('Sum', 'jobsSucceeded', 'jobsFailed', 'jobsInterrupted'), 6),
    graph(`Jobs on ${machines}: use of what they asked for, %`, all('Maximum', 'jobCpu', 'jobMemory', ...gpu), 6),
  ];
}

function graph(title: string, left: IMetric[], width = 12): GraphWidget {
  return new GraphWidget({ title, left, width });
}
