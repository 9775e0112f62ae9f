/** Jobs on Batch: submitting them, how busy their queues are, and why one waits. */
import {
  BatchClient,
  type ComputeEnvironmentDetail,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  GetJobQueueSnapshotCommand,
  type JobDetail,
  type JobQueueDetail,
  type JobStatus,
  type JobSummary,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { type Ending, type JobRequest, type Jobs, type QueueLook, type QueueState, shareOf } from '../core/compute/batch.ts';
import { type OpenJob, queueTrouble, whyWaiting } from '../core/compute/waiting.ts';
import { shares } from '../core/names.ts';
import { overridesOf } from './container-overrides.ts';

/** Jobs that have a place or are about to. */
const busyStates: JobStatus[] = ['STARTING', 'RUNNING'];
const openStates: JobStatus[] = ['SUBMITTED', 'PENDING', 'RUNNABLE', ...busyStates];
/** As many of a state are looked at: a queue with more is busy enough. DescribeJobs takes no more at once. */
const lookedAt = 100;
/** Pages of so many that are counted. */
const countedPages = 10;

export class BatchJobs implements Jobs {
  private readonly client: BatchClient;

  constructor(client: BatchClient = new BatchClient({})) {
    this.client = client;
  }

  async submit({ name, queue, definition, priority, stage, event, size, mayGrow }: JobRequest): Promise<string> {
    const overrides = overridesOf(stage, event, size, mayGrow);
    const { jobId } = await this.client.send(
      new SubmitJobCommand({
        jobName: name,
        jobQueue: queue,
        jobDefinition: definition,
        shareIdentifier: shareOf(priority),
        schedulingPriorityOverride: priority,
        containerOverrides: {
          environment: overrides.Environment.map(({ Name, Value }) => ({ name: Name, value: Value })),
          resourceRequirements: overrides.ResourceRequirements.map(({ Type, Value }) => ({ type: Type, value: Value })),
        },
      }),
    );
    return jobId!;
  }

  async queueState(queue: string, maxVcpus: number): Promise<QueueState> {
    const [{ detail, environments }, busy, waiting] = await Promise.all([
      this.describeQueue(queue),
      this.inStates(queue, busyStates),
      this.inStates(queue, ['RUNNABLE']),
    ]);
    const waitingVcpus: QueueState['waitingVcpus'] = {};
    for (const { name } of shares) {
      const own = waiting.filter(({ shareIdentifier }) => shareIdentifier === name);
      if (own.length > 0) waitingVcpus[name] = vcpusOf(own);
    }
    return { trouble: troubleOf(detail, environments), maxVcpus, busyVcpus: vcpusOf(busy), waitingVcpus };
  }

  async look(queue: string): Promise<QueueLook> {
    const found = (await Promise.all(openStates.map((status) => this.allInState(queue, status)))).flat();
    const arrays = await this.describe(found.filter(({ arrayProperties }) => arrayProperties?.size));
    const singles = found.filter(({ arrayProperties }) => !arrayProperties?.size);
    const counts = [
      ...singles.map(({ status, createdAt }) => ({ createdAt, statuses: { [status!]: 1 } as Partial<Record<JobStatus, number>> })),
      ...arrays.map(({ createdAt, arrayProperties }) => ({ createdAt, statuses: arrayProperties?.statusSummary ?? {} })),
    ];
    const sum = (states: JobStatus[]) =>
      counts.reduce((total, { statuses }) => total + states.reduce((own, state) => own + (statuses[state] ?? 0), 0), 0);
    const oldest = Math.min(...counts.flatMap(({ createdAt, statuses }) => (statuses.RUNNABLE ? [createdAt!] : [])));
    return {
      waiting: sum(['RUNNABLE']),
      ...(Number.isFinite(oldest) && { oldest: new Date(oldest) }),
      running: sum(busyStates),
      open: found.length,
    };
  }

  async open(queue: string, prefix: string): Promise<OpenJob[]> {
    const open = (await this.named(queue, prefix)).filter(({ status }) => status !== 'SUCCEEDED' && status !== 'FAILED');
    if (open.length === 0) return [];
    const [jobs, { detail, environments }, busy, front] = await Promise.all([
      this.describe(open),
      this.describeQueue(queue),
      this.inStates(queue, busyStates),
      this.client.send(new GetJobQueueSnapshotCommand({ jobQueue: queue })).catch(() => undefined),
    ]);
    const maxVcpus = environments.reduce((sum, { computeResources }) => sum + (computeResources?.maxvCpus ?? 0), 0);
    const places = front?.frontOfQueue?.jobs?.map(({ jobArn }) => jobArn!) ?? [];
    return Promise.all(
      jobs.map(async (job) => {
        const children = job.arrayProperties?.size ? await this.children(job.jobId!) : [];
        const waits = children.find(({ status }) => status === 'RUNNABLE') ?? job;
        const before = places.findIndex((arn) => arn === waits.jobArn || arn.startsWith(job.jobArn!));
        return {
          name: job.jobName!,
          status: children.length > 0 ? stateOf(children) : job.status!,
          statusReason: waits.statusReason,
          share: job.shareIdentifier,
          vcpus: vcpusOf([job]),
          busyVcpus: vcpusOf(busy),
          maxVcpus,
          before: before < 0 ? undefined : before,
          overtakenBy: before > 0 ? await this.overtaking(places.slice(0, before), job) : undefined,
          trouble: troubleOf(detail, environments),
        };
      }),
    );
  }

  async stop(queue: string, prefix: string, reason: string): Promise<string[]> {
    const [open, named] = await Promise.all([this.open(queue, prefix), this.named(queue, prefix)]);
    const ids = named.flatMap(({ jobId, status }) => (status === 'SUCCEEDED' || status === 'FAILED' ? [] : [jobId!]));
    await Promise.all(ids.map((jobId) => this.client.send(new TerminateJobCommand({ jobId, reason }))));
    return open.flatMap((job) => whyWaiting(job) ?? []);
  }

  async failedChild(arrayJobId: string): Promise<Ending | undefined> {
    const { jobSummaryList = [] } = await this.client.send(new ListJobsCommand({ arrayJobId, jobStatus: 'FAILED', maxResults: 1 }));
    const [child] = jobSummaryList;
    return child && { reason: child.container?.reason ?? child.statusReason, exitCode: child.container?.exitCode };
  }

  async failure(queue: string, prefix: string, since: Date): Promise<string | undefined> {
    const [newest] = (await this.named(queue, prefix)).sort((a, b) => b.createdAt! - a.createdAt!);
    if (newest?.status !== 'FAILED' || newest.createdAt! < since.getTime()) return undefined;
    return newest.container?.reason ?? newest.statusReason ?? 'Batch gives no reason';
  }

  /** How many of the jobs are of other shares, and later. */
  private async overtaking(arns: string[], { shareIdentifier, createdAt = 0 }: JobDetail): Promise<number> {
    const others = await this.describe(arns.map((arn) => ({ jobId: arn.slice(arn.lastIndexOf('/') + 1), jobName: '' })));
    return others.filter((other) => other.shareIdentifier !== shareIdentifier && (other.createdAt ?? 0) > createdAt).length;
  }

  /** A name may end with a star. */
  private async named(jobQueue: string, prefix: string): Promise<JobSummary[]> {
    const filters = [{ name: 'JOB_NAME', values: [`${prefix}*`] }];
    const { jobSummaryList = [] } = await this.client.send(new ListJobsCommand({ jobQueue, filters, maxResults: lookedAt }));
    return jobSummaryList;
  }

  private async children(arrayJobId: string): Promise<JobSummary[]> {
    const states: JobStatus[] = ['RUNNABLE', ...busyStates];
    const found = await Promise.all(
      states.map((jobStatus) => this.client.send(new ListJobsCommand({ arrayJobId, jobStatus, maxResults: lookedAt }))),
    );
    return found.flatMap(({ jobSummaryList = [] }) => jobSummaryList);
  }

  private async inStates(jobQueue: string, states: JobStatus[]): Promise<JobDetail[]> {
    const found = await Promise.all(
      states.map((jobStatus) => this.client.send(new ListJobsCommand({ jobQueue, jobStatus, maxResults: lookedAt }))),
    );
    return this.describe(found.flatMap(({ jobSummaryList = [] }) => jobSummaryList));
  }

  private async allInState(jobQueue: string, jobStatus: JobStatus): Promise<JobSummary[]> {
    const found: JobSummary[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page === 0 || (nextToken && page < countedPages); page++) {
      const listed = await this.client.send(
        new ListJobsCommand({ jobQueue, jobStatus, maxResults: lookedAt, ...(nextToken && { nextToken }) }),
      );
      found.push(...(listed.jobSummaryList ?? []));
      nextToken = listed.nextToken;
    }
    return found;
  }

  private async describe(summaries: JobSummary[]): Promise<JobDetail[]> {
    const ids = summaries.map(({ jobId }) => jobId!);
    const parts = Array.from({ length: Math.ceil(ids.length / lookedAt) }, (_, part) => ids.slice(part * lookedAt, (part + 1) * lookedAt));
    const found = await Promise.all(parts.map((jobs) => this.client.send(new DescribeJobsCommand({ jobs }))));
    return found.flatMap(({ jobs = [] }) => jobs);
  }

  private async describeQueue(queue: string): Promise<{ detail: JobQueueDetail | undefined; environments: ComputeEnvironmentDetail[] }> {
    const { jobQueues = [] } = await this.client.send(new DescribeJobQueuesCommand({ jobQueues: [queue] }));
    const [detail] = jobQueues;
    const names = detail?.computeEnvironmentOrder?.map(({ computeEnvironment }) => computeEnvironment!) ?? [];
    if (names.length === 0) return { detail, environments: [] };
    const found = await this.client.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: names }));
    return { detail, environments: found.computeEnvironments ?? [] };
  }
}

function troubleOf(detail: JobQueueDetail | undefined, environments: ComputeEnvironmentDetail[]): string | undefined {
  if (!detail) return 'The job queue does not exist any more.';
  const place = ({
    state,
    status,
    statusReason,
  }: {
    state?: string | undefined;
    status?: string | undefined;
    statusReason?: string | undefined;
  }) => ({
    enabled: state !== 'DISABLED',
    valid: status !== 'INVALID',
    reason: statusReason,
  });
  return queueTrouble(
    place(detail),
    environments.map((each) => ({ name: each.computeEnvironmentName!, ...place(each) })),
  );
}

/** An array job is in the state of that of its children which has come furthest. */
function stateOf(children: JobSummary[]): string {
  return ['RUNNING', 'STARTING'].find((state) => children.some(({ status }) => status === state)) ?? 'RUNNABLE';
}

function vcpusOf(jobs: JobDetail[]): number {
  return jobs.reduce((sum, { container }) => {
    const asked = container?.resourceRequirements?.find(({ type }) => type === 'VCPU')?.value ?? container?.vcpus ?? 0;
    return sum + Number(asked);
  }, 0);
}
