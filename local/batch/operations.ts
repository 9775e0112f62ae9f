/** Batch's operations, by the last part of their paths. What the template makes is not made or deleted here. */
import { type Operations, page } from '../protocol/service.ts';
import type { Batch } from './batch.ts';
import { environmentDetail, jobDetail, jobSummary, queueDetail } from './describe.ts';
import type { Job } from './job.ts';
import { parse, refused, requests } from './request.ts';

/** Jobs of the queue's snapshot, as AWS shows them. */
const frontOfQueue = 100;

export function batchOperations(batch: Batch): Operations {
  return { ...jobOperations(batch), ...definitionOperations(batch), ...resourceOperations(batch) };
}

function jobOperations(batch: Batch): Operations {
  return {
    submitjob: async (input) => {
      const { spec } = await batch.submit(input);
      return { jobArn: spec.jobArn, jobName: spec.jobName, jobId: spec.jobId };
    },
    describejobs: (input) => ({
      jobs: parse(requests.someJobs, input)
        .jobs.flatMap((id) => batch.find(id) ?? [])
        .map(jobDetail),
    }),
    listjobs: (input) => {
      const { jobQueue, arrayJobId, jobStatus, filters, maxResults, nextToken } = parse(requests.listJobs, input);
      if ((jobQueue === undefined) === (arrayJobId === undefined))
        throw refused('Exactly one of jobQueue and arrayJobId must be specified.');
      const all = arrayJobId === undefined ? ofQueue(batch, jobQueue!) : (batch.find(arrayJobId)?.children ?? []);
      // A filter goes before the status; without either, AWS lists what runs.
      const status = filters.length > 0 ? undefined : (jobStatus ?? 'RUNNING');
      const found = all.filter((job) => (status ? job.state.status === status : filters.every((filter) => fits(job, filter))));
      const newest = arrayJobId === undefined ? found.sort((a, b) => b.state.createdAt - a.state.createdAt) : found;
      const { items, next } = page(newest, maxResults, nextToken);
      return { jobSummaryList: items.map(jobSummary), ...(next && { nextToken: next }) };
    },
    canceljob: (input) => {
      const { jobId, reason } = parse(requests.oneJob, input);
      batch.cancel(jobId, reason);
      return {};
    },
    terminatejob: (input) => {
      const { jobId, reason } = parse(requests.oneJob, input);
      batch.terminate(jobId, reason);
      return {};
    },
    getjobqueuesnapshot: (input) => {
      const now = Date.now();
      const jobs = batch.queue(parse(requests.oneQueue, input).jobQueue).waiting(now).slice(0, frontOfQueue);
      const front = jobs.map((job) => ({ jobArn: job.arn, earliestTimeAtPosition: job.state.createdAt }));
      return { frontOfQueue: { jobs: front, lastUpdatedAt: now } };
    },
  };
}

function ofQueue(batch: Batch, name: string): Job[] {
  const { arn } = batch.queue(name).settings;
  return batch.jobs().filter(({ spec }) => spec.jobQueue === arn);
}

function fits({ spec, state }: Job, { name, values }: { name: string; values: string[] }): boolean {
  const like = (text: string) =>
    values.some((value) => (value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : text.toLowerCase() === value.toLowerCase()));
  switch (name) {
    case 'JOB_NAME':
      return like(spec.jobName);
    case 'JOB_DEFINITION':
      return like(spec.jobDefinition) || like(spec.jobDefinition.split('/')[1]!.split(':')[0]!);
    case 'SHARE_IDENTIFIER':
      return like(spec.shareIdentifier ?? '');
    case 'BEFORE_CREATED_AT':
      return values.some((value) => state.createdAt < Number(value));
    case 'AFTER_CREATED_AT':
      return values.some((value) => state.createdAt > Number(value));
    default:
      throw refused(`There is no filter ${name}.`);
  }
}

function definitionOperations({ definitions }: Batch): Operations {
  return {
    registerjobdefinition: async (input) => {
      const { jobDefinitionName, jobDefinitionArn, revision } = await definitions.register(input);
      return { jobDefinitionName, jobDefinitionArn, revision };
    },
    deregisterjobdefinition: async (input) => {
      await definitions.save({ ...definitions.find(parse(requests.oneDefinition, input).jobDefinition), status: 'INACTIVE' });
      return {};
    },
    describejobdefinitions: (input) => {
      const { jobDefinitions, jobDefinitionName, status, maxResults, nextToken } = parse(requests.definitions, input);
      const named = ({
        jobDefinitionArn: arn,
        jobDefinitionName: name,
        revision,
      }: {
        jobDefinitionArn: string;
        jobDefinitionName: string;
        revision: number;
      }) =>
        (!jobDefinitions || jobDefinitions.some((each) => [arn, name, `${name}:${revision}`].includes(each))) &&
        (!jobDefinitionName || name === jobDefinitionName);
      const found = definitions.all().filter((each) => named(each) && (!status || each.status === status));
      const { items, next } = page(found, maxResults, nextToken);
      const described = items.map((each) => ({ ...each, containerOrchestrationType: 'ECS' }));
      return { jobDefinitions: described, ...(next && { nextToken: next }) };
    },
  };
}

function resourceOperations(batch: Batch): Operations {
  const listed = <T extends { settings: { name: string; arn: string } }>(all: Iterable<T>, names: string[] | undefined): T[] =>
    [...all].filter(({ settings }) => !names || names.includes(settings.name) || names.includes(settings.arn));
  return {
    describejobqueues: (input) => {
      const { jobQueues, maxResults, nextToken } = parse(requests.queues, input);
      const { items, next } = page(listed(batch.queues.values(), jobQueues), maxResults, nextToken);
      return { jobQueues: items.map(queueDetail), ...(next && { nextToken: next }) };
    },
    updatejobqueue: (input) => {
      const { jobQueue, state, priority, schedulingPolicyArn } = parse(requests.updateQueue, input);
      const { settings } = batch.queue(jobQueue);
      if (schedulingPolicyArn !== undefined && schedulingPolicyArn !== settings.schedulingPolicy?.arn) {
        throw refused('The laptop cloud changes the scheduling policy of a queue by its template only.');
      }
      Object.assign(settings, { ...(state && { state }), ...(priority !== undefined && { priority }) });
      batch.reschedule();
      return { jobQueueName: settings.name, jobQueueArn: settings.arn };
    },
    describecomputeenvironments: (input) => {
      const { computeEnvironments, maxResults, nextToken } = parse(requests.environments, input);
      const { items, next } = page(listed(batch.environments.values(), computeEnvironments), maxResults, nextToken);
      return { computeEnvironments: items.map(environmentDetail), ...(next && { nextToken: next }) };
    },
    updatecomputeenvironment: (input) => {
      const { computeEnvironment, state, computeResources } = parse(requests.updateEnvironment, input);
      const { settings } = batch.environment(computeEnvironment);
      const maxvCpus = computeResources?.maxvCpus;
      Object.assign(settings, { ...(state && { state }), ...(maxvCpus !== undefined && { maxvCpus }) });
      batch.reschedule();
      return { computeEnvironmentName: settings.name, computeEnvironmentArn: settings.arn };
    },
    describeschedulingpolicies: (input) => {
      const { arns } = parse(requests.policies, input);
      return { schedulingPolicies: [...batch.policies.values()].filter(({ arn }) => arns.includes(arn)) };
    },
    listschedulingpolicies: (input) => {
      const { maxResults, nextToken } = parse(requests.page, input);
      const { items, next } = page([...batch.policies.keys()], maxResults, nextToken);
      return { schedulingPolicies: items.map((arn) => ({ arn })), ...(next && { nextToken: next }) };
    },
  };
}
