/** Batch: its compute environments, queues, policies and definitions come from the template, its jobs are processes of this machine. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { accountId, region } from '../template/template.ts';
import { Definitions, type JobDefinition } from './definitions.ts';
import { type ComputeEnvironment, Machine } from './environment.ts';
import { Job, type JobSpec } from './job.ts';
import { Journal } from './journal.ts';
import type { JobQueue } from './queue.ts';
import { type ContainerProperties, checkSize, parse, refused, type SubmitRequest, submitRequest } from './request.ts';
import { Runner } from './runner.ts';
import type { SchedulingPolicy } from './shares.ts';
import type { SpotSettings } from './spot.ts';

export interface BatchSettings {
  /** Of this machine, for all jobs together. @default as many as it has */
  vcpus?: number;
  /** Interruptions of spot machines. @default none */
  spot?: SpotSettings;
  /** From SIGTERM to SIGKILL. @default AWS's 30 s */
  graceMs?: number;
}

export interface BatchHooks {
  /** What a job of that role signs its requests with. @throws IngotError where there is no such role, or no job may take it */
  credentials(role: string | undefined, job: string): Record<string, string>;
  output(group: string, lines: Buffer): void;
  /** A job, an array or one of its children is in another state, or in the same once more after an attempt. */
  changed(job: Job): void;
}

/** How long AWS keeps jobs that have ended. */
const keptMs = 7 * 24 * 3600_000;

export class Batch {
  readonly machine: Machine;
  /** By ARN, as are queues and policies. */
  readonly environments = new Map<string, ComputeEnvironment>();
  readonly queues = new Map<string, JobQueue>();
  readonly policies = new Map<string, SchedulingPolicy>();
  readonly definitions: Definitions;
  /** The stack's assets, by what names them in a job definition. */
  assets: ReadonlyMap<string, string> = new Map();
  readonly #jobs = new Map<string, Job>();
  readonly #journal: Journal;
  readonly #runner: Runner;
  readonly #credentials: BatchHooks['credentials'];
  /** Jobs of executions that a former process left, until the execution, begun anew, asks for them again. */
  readonly #unclaimed = new Map<string, Job>();

  constructor(home: string, url: string, settings: BatchSettings, { credentials, ...hooks }: BatchHooks) {
    this.#credentials = credentials;
    this.machine = new Machine(settings.vcpus ?? availableParallelism());
    this.definitions = new Definitions(home);
    this.#journal = new Journal(home);
    this.#runner = new Runner({
      home,
      url,
      spot: settings.spot ?? { seed: 0, perMinute: 0 },
      graceMs: settings.graceMs ?? 30_000,
      journal: this.#journal,
      machine: this.machine,
      queues: this.queues,
      find: (id) => this.find(id),
      assetOf: (job) => this.#assetOf(job),
      credentialsOf: ({ spec }) => credentials(spec.container.jobRoleArn, spec.jobName),
      ...hooks,
    });
  }

  /** Takes up the jobs that a former process left: what ran then gets another attempt. */
  resume(now = Date.now()): void {
    const left = this.#journal.all();
    for (const job of left) {
      if (job.hasEnded && now - job.state.stoppedAt! > keptMs) this.#journal.forget(job);
      else this.#jobs.set(job.spec.jobId, job);
    }
    for (const job of this.#jobs.values()) {
      if (job.spec.startedBy && job.state.status !== 'FAILED') this.#unclaimed.set(job.spec.startedBy, job);
      this.#runner.admit(job);
    }
  }

  close(): void {
    this.#runner.close();
  }

  /**
   * Accepts a job; when this resolves it is on the disk.
   * @param startedBy what of an execution asks for it: asked again after a crash, it gets the job that it had
   * @throws ServiceError ClientException
   */
  async submit(input: unknown, startedBy?: string): Promise<Job> {
    const former = startedBy === undefined ? undefined : this.#unclaimed.get(startedBy);
    if (former) {
      this.#unclaimed.delete(startedBy!);
      return former;
    }
    checkSize('Job', input);
    const spec = this.#specOf(parse(submitRequest, input), startedBy);
    const job = new Job(spec);
    await this.#journal.create(spec);
    this.#jobs.set(spec.jobId, job);
    this.#runner.admit(job);
    return job;
  }

  /** A job, or by `<job>:<index>` the child of an array. */
  find(id: string): Job | undefined {
    const [jobId, index] = id.split(':');
    const job = this.#jobs.get(jobId!);
    return index === undefined ? job : job?.children[Number(index)];
  }

  jobs(): Job[] {
    return [...this.#jobs.values()];
  }

  cancel(id: string, reason: string): void {
    const job = this.find(id);
    if (job) this.#runner.cancel(job, reason);
  }

  terminate(id: string, reason: string): void {
    const job = this.find(id);
    if (job) this.#runner.terminate(job, reason);
  }

  /** Something that jobs may wait for has changed. */
  reschedule(): void {
    this.#runner.schedule();
  }

  /** By name or ARN. @throws ServiceError ClientException */
  queue(name: string): JobQueue {
    const found = [...this.queues.values()].find(({ settings }) => settings.arn === name || settings.name === name);
    if (!found) throw refused(`JobQueue not found: ${name}`);
    return found;
  }

  environment(name: string): ComputeEnvironment {
    const found = [...this.environments.values()].find(({ settings }) => settings.arn === name || settings.name === name);
    if (!found) throw refused(`ComputeEnvironment not found: ${name}`);
    return found;
  }

  #specOf(request: SubmitRequest, startedBy: string | undefined): JobSpec {
    const definition = this.definitions.find(request.jobDefinition);
    const { settings } = this.queue(request.jobQueue);
    if (settings.state === 'DISABLED') throw refused(`JobQueue ${settings.name} is disabled and cannot accept jobs.`);
    const schedulingPriority = request.schedulingPriorityOverride ?? definition.schedulingPriority;
    if (settings.schedulingPolicy && request.shareIdentifier === undefined) {
      throw refused('shareIdentifier must be specified for a job queue with a fair-share scheduling policy.');
    }
    if (!settings.schedulingPolicy && request.shareIdentifier !== undefined) {
      throw refused('shareIdentifier can only be specified for a job queue with a fair-share scheduling policy.');
    }
    if (settings.schedulingPolicy && schedulingPriority === undefined) {
      throw refused(
        'schedulingPriority must be specified in the job definition or overridden for a job queue with a fair-share scheduling policy.',
      );
    }
    for (const { jobId, type } of request.dependsOn) {
      if (jobId === undefined ? type !== 'SEQUENTIAL' : !this.find(jobId))
        throw refused(`Dependency on a job that does not exist: ${jobId ?? type}`);
    }
    try {
      this.#credentials(definition.containerProperties.jobRoleArn, request.jobName);
    } catch (error) {
      throw refused((error as Error).message);
    }
    const jobId = randomUUID();
    const parameters = { ...definition.parameters, ...request.parameters };
    const timeout = request.timeout ?? definition.timeout;
    const size = request.arrayProperties?.size;
    return {
      jobId,
      jobArn: `arn:aws:batch:${region}:${accountId}:job/${jobId}`,
      jobName: request.jobName,
      jobQueue: settings.arn,
      jobDefinition: definition.jobDefinitionArn,
      createdAt: Date.now(),
      dependsOn: request.dependsOn,
      parameters,
      container: containerOf(definition, request, parameters),
      retryStrategy: request.retryStrategy ?? definition.retryStrategy ?? { attempts: 1, evaluateOnExit: [] },
      tags: { ...((request.propagateTags || definition.propagateTags) && definition.tags), ...request.tags },
      propagateTags: request.propagateTags,
      platformCapabilities: definition.platformCapabilities,
      ...(request.shareIdentifier !== undefined && { shareIdentifier: request.shareIdentifier }),
      ...(schedulingPriority !== undefined && { schedulingPriority }),
      ...(timeout && { timeout }),
      ...(size !== undefined && { size }),
      ...(startedBy !== undefined && { startedBy }),
    };
  }

  /** What of the stack's assets a job's container speaks of: its image, or code that its command or environment names. */
  #assetOf({ spec: { container } }: Job): string | undefined {
    const { image, command, environment } = container;
    const said = JSON.stringify({ image, command, environment });
    for (const [name, path] of this.assets) if (said.includes(name)) return path;
    return undefined;
  }
}

function containerOf(
  { containerProperties }: JobDefinition,
  request: SubmitRequest,
  parameters: Record<string, string>,
): ContainerProperties {
  const { command, environment, resourceRequirements, vcpus, memory } = request.containerOverrides;
  const instead = <T>(before: readonly T[], after: readonly T[], key: (item: T) => string): T[] => {
    const replaced = new Set(after.map(key));
    return [...before.filter((item) => !replaced.has(key(item))), ...after];
  };
  const overridden: ContainerProperties = {
    ...containerProperties,
    command: (command ?? containerProperties.command).map((part) =>
      part.replace(/Ref::([\w.-]+)/g, (all, name: string) => parameters[name] ?? all),
    ),
    environment: instead(containerProperties.environment, environment, ({ name }) => name),
    resourceRequirements: instead(containerProperties.resourceRequirements, resourceRequirements, ({ type }) => type),
  };
  if (vcpus !== undefined) overridden.vcpus = vcpus;
  if (memory !== undefined) overridden.memory = memory;
  return overridden;
}
