/** What a deployment has of Batch, the sizes of its jobs, and how busy its queues are. */
import * as z from 'zod/mini';
import { type JobStage, type Share, shares } from '../names.ts';
import type { OpenJob } from './waiting.ts';

/** What a queue's jobs run on: Fargate, EC2 for what is too large for it, and EC2 with GPUs. */
export const machineKinds = ['fargate', 'ec2', 'gpu'] as const;
export type Machines = (typeof machineKinds)[number];

const queueSchema = z.strictObject({ queue: z.string(), train: z.string(), prepare: z.string() });

const batchSchema = z.strictObject({
  /** vCPUs that the jobs of a queue may have at a time. */
  maxVcpus: z.number(),
  /** MB of an upload from which a job cleans it. */
  uploadMegabytes: z.number(),
  /** By machines: the queue's ARN, and the names of the definitions of its jobs. */
  queues: z.partialRecord(z.enum(machineKinds), queueSchema),
});

export type BatchSettings = z.infer<typeof batchSchema>;

/** @param text JSON; @returns undefined where there is no Batch */
export function parseBatch(text: string | undefined): BatchSettings | undefined {
  return text ? batchSchema.parse(JSON.parse(text)) : undefined;
}

export interface JobSize {
  machines: Machines;
  vcpus: number;
  /** MB. */
  memory: number;
}

const gigabyte = 1024;
/** A job has as many where nothing asks for more: twice what a function of 3,008 MB has, and enough for the threads of one fit. */
const usualVcpus = 4;
/** What work may need beside the estimate. */
export const margin = 1.3;

/** Fargate's sizes, memory in GB: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size */
const fargateSizes = [
  { vcpus: 1, from: 2, to: 8, step: 1 },
  { vcpus: 2, from: 4, to: 16, step: 1 },
  { vcpus: 4, from: 8, to: 30, step: 1 },
  { vcpus: 8, from: 16, to: 60, step: 4 },
  { vcpus: 16, from: 32, to: 120, step: 8 },
];
/** Of the largest machines that a compute environment of EC2 takes (96 vCPUs, 768 GiB), without what the system and ECS keep. */
const largestEc2 = { vcpus: 96, memory: 740 * gigabyte };
/** The memory of a memory-optimised machine, for each vCPU. */
const ec2MemoryPerVcpu = 7.7 * gigabyte;
/** The smallest machine with a GPU (g5.xlarge, g6.xlarge), without what the system and ECS keep. */
const gpuSize = { vcpus: 4, memory: 14 * gigabyte };

/**
 * The smallest job that has the memory.
 * @param bytes that the work is expected to use
 * @returns undefined where the machines have no job as large, or none within `maxVcpus`
 */
export const jobSize = (machines: Machines, bytes: number, maxVcpus: number): JobSize | undefined =>
  jobWith(machines, Math.ceil((bytes * margin) / 2 ** 20), maxVcpus);

/** @param needed MB */
function jobWith(machines: Machines, needed: number, maxVcpus: number): JobSize | undefined {
  if (machines === 'gpu') return needed <= gpuSize.memory && gpuSize.vcpus <= maxVcpus ? { machines, ...gpuSize } : undefined;
  if (machines === 'ec2') {
    const vcpus = Math.min(largestEc2.vcpus, Math.max(usualVcpus, Math.ceil(needed / ec2MemoryPerVcpu)));
    const memory = Math.max(needed, usualVcpus * 2 * gigabyte);
    return needed <= largestEc2.memory && vcpus <= maxVcpus ? { machines, vcpus, memory } : undefined;
  }
  const least = Math.min(usualVcpus, maxVcpus);
  const size = fargateSizes.find(({ vcpus, to }) => vcpus >= least && vcpus <= maxVcpus && to * gigabyte >= needed);
  if (!size) return undefined;
  const { vcpus, from, step } = size;
  return { machines, vcpus, memory: Math.max(from, Math.ceil(needed / gigabyte / step) * step) * gigabyte };
}

/** What a table's preparation runs on: Fargate, and EC2 where that has no job as large. */
export const preparing = ['fargate', 'ec2'] as const;

/** The smallest job that has the memory to prepare a table, or the largest that there is. @param bytes see `jobSize` */
export const preparingJob = (batch: BatchSettings, bytes: number): JobSize | undefined => preparingWith(batch, (bytes * margin) / 2 ** 20);

function preparingWith(batch: BatchSettings, megabytes: number): JobSize | undefined {
  const needed = Math.min(Math.ceil(megabytes), mostToPrepare(batch));
  return preparing.flatMap((machines) => (batch.queues[machines] && jobWith(machines, needed, batch.maxVcpus)) || [])[0];
}

const mostToPrepare = ({ queues, maxVcpus }: BatchSettings): number =>
  Math.max(...preparing.map((machines) => (queues[machines] ? largestJob(machines, maxVcpus) : 0)));

/** The job that takes over from one whose memory was used up: it has twice as much, or as much as there is. @param memory MB that that one had */
export function largerJob(batch: BatchSettings, memory: number): JobSize | undefined {
  return mostToPrepare(batch) > memory ? preparingWith(batch, 2 * memory) : undefined;
}

/** MB of the largest job that there may be within so many vCPUs. */
export function largestJob(machines: Machines, maxVcpus: number): number {
  if (machines === 'gpu') return gpuSize.memory;
  if (machines === 'fargate') return Math.max(0, ...fargateSizes.flatMap(({ vcpus, to }) => (vcpus <= maxVcpus ? to * gigabyte : [])));
  return maxVcpus < usualVcpus ? 0 : Math.min(largestEc2.memory, Math.floor(Math.floor(maxVcpus) * ec2MemoryPerVcpu));
}

/** How busy a queue is. */
export interface QueueState {
  /** Why no job of it can run, in a sentence; undefined where it works. */
  trouble?: string | undefined;
  maxVcpus: number;
  busyVcpus: number;
  /** vCPUs that jobs wait for, by share. */
  waitingVcpus: Partial<Record<Share, number>>;
}

/** Of a dataset whose spec has none. */
export const usualPriority = 50;

/** The share that the jobs of a dataset are in; of two that compete within a share, the one of higher priority goes first. */
export function shareOf(priority: number): Share {
  return shares.find(({ from }) => priority >= from)!.name;
}

/** How long a job is expected to keep its place, where nothing is known of it. */
const usualJobSeconds = 300;

/**
 * Seconds that jobs of a share are expected to wait. Those that wait in a share of less right count by the ratio of the weights, as they get
 * that part of the room meanwhile.
 */
export function expectedWait({ maxVcpus, busyVcpus, waitingVcpus }: QueueState, vcpus: number, share: Share): number {
  const weightOf = (name: Share) => shares.find((each) => each.name === name)!.weight;
  const ahead = shares.reduce((sum, { name, weight }) => sum + (waitingVcpus[name] ?? 0) * Math.min(1, weightOf(share) / weight), 0);
  if (ahead === 0 && busyVcpus + vcpus <= maxVcpus) return 0;
  return (usualJobSeconds * (busyVcpus + ahead)) / maxVcpus;
}

/** What a job is told. */
export interface JobRequest {
  name: string;
  /** ARN. */
  queue: string;
  definition: string;
  priority: number;
  stage: JobStage;
  event: object;
  size: JobSize;
  /** Whether a larger one takes over where its memory is used up. */
  mayGrow?: boolean;
}

/** How a job ended, in Batch's words. */
export interface Ending {
  reason?: string | undefined;
  exitCode?: number | undefined;
}

/** What a queue holds now; arrays by their children. */
export interface QueueLook {
  /** Jobs that could run, and when the oldest of them was submitted. */
  waiting: number;
  oldest?: Date;
  running: number;
  /** Jobs that have not ended, arrays as one: those that wait for others among them. */
  open: number;
}

/** What can be on or off. */
export interface Switch {
  on(): Promise<void>;
  off(): Promise<void>;
}

/** Whatever runs jobs. */
export interface Jobs {
  /** @returns the job's id */
  submit(request: JobRequest): Promise<string>;
  queueState(queue: string, maxVcpus: number): Promise<QueueState>;
  look(queue: string): Promise<QueueLook>;
  /** Those whose names begin so and that have not ended. */
  open(queue: string, prefix: string): Promise<OpenJob[]>;
  /** Ends those. @returns why they were not under way, those of them that were not, in sentences */
  stop(queue: string, prefix: string, reason: string): Promise<string[]>;
  /** How a child of an array job failed, which the array job itself does not say. */
  failedChild(arrayJobId: string): Promise<Ending | undefined>;
  /** Why the newest of those whose names begin so failed, in Batch's words; undefined where it did not, or was submitted before. */
  failure(queue: string, prefix: string, since: Date): Promise<string | undefined>;
}
