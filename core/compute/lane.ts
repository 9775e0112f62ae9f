/** The compute that a run's stages run on. A lane is its settings; the stages that only decide are functions on every lane. */
import * as z from 'zod/mini';
import type { JobSize } from './batch.ts';
import { priceListSchema, publicPrices } from './prices.ts';

/** `cpu` is Batch on Fargate, or on EC2 where a job is too large for it; `gpu` is Batch on EC2 with GPUs. */
export const laneNames = ['lambda', 'cpu', 'gpu'] as const;
export type LaneName = (typeof laneNames)[number];

export const laneSchema = z.strictObject({
  name: z.literal('lambda'),
  architecture: z.enum(['arm64', 'x64']),
  /** MB of the functions that work on the data, and of those that only decide. */
  pipelineMemory: z.number().check(z.positive()),
  controlMemory: z.number().check(z.positive()),
  /** Trials at a time. */
  concurrency: z.int().check(z.positive()),
  /** All the cores that there are, where the functions share a machine. */
  cores: z.optional(z.int().check(z.positive())),
  prices: priceListSchema,
});

export type Lane = Omit<z.infer<typeof laneSchema>, 'name'> & {
  name: LaneName;
  /** On Batch: what each job of the search, and the one that finishes, asks for. */
  job?: JobSize;
};

/** As infra sets a deployment up that says nothing else. */
export const defaultLane: Lane = {
  name: 'lambda',
  architecture: 'arm64',
  pipelineMemory: 3008,
  controlMemory: 512,
  concurrency: 8,
  prices: publicPrices,
};

/** Lambda gives one core for each 1,769 MB. */
export const coresOf = ({ job, pipelineMemory }: Pick<Lane, 'job' | 'pipelineMemory'>): number =>
  job?.vcpus ?? Math.max(1, pipelineMemory / 1769);

/** Trials that run at a time, and the cores that they have together. */
export function searchPower(lane: Lane): { places: number; cores: number } {
  const places = Math.min(lane.concurrency, lane.cores ?? lane.concurrency);
  return { places, cores: Math.min(lane.cores ?? Number.POSITIVE_INFINITY, places * coresOf(lane)) };
}

/** @param text JSON of the settings that are not the default ones; @throws where one is unknown or wrong */
export function parseLane(text: string | undefined): Lane {
  return laneSchema.parse({ ...defaultLane, ...(text ? (JSON.parse(text) as object) : {}) });
}

/** Children of an array job, and trials of a run at a time: more would each have little to do. */
const mostChildren = 32;

/** Children of the array job that does so many trials: two at least, as Batch takes no fewer. */
export const childrenOf = (trials: number, { concurrency }: Lane): number => Math.max(2, Math.min(concurrency, trials));

/**
 * The lane of Batch that has jobs of that size.
 * @param trials of the run: at least two, as an array job has at least two children
 */
export function batchLane(functions: Lane, job: JobSize, trials: number, maxVcpus: number): Lane {
  const concurrency = Math.max(2, Math.min(trials, mostChildren, Math.floor(maxVcpus / job.vcpus)));
  return { ...functions, name: job.machines === 'gpu' ? 'gpu' : 'cpu', concurrency, job };
}
