/** The compute that a run's stages run on. A lane is its settings; so far all work is on Lambda functions. */
import * as z from 'zod/mini';
import { priceListSchema, publicPrices } from './prices.ts';

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

export type Lane = z.infer<typeof laneSchema>;

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
export const coresOf = ({ pipelineMemory }: Lane): number => Math.max(1, pipelineMemory / 1769);

/** Trials that run at a time, and the cores that they have together. */
export function searchPower(lane: Lane): { places: number; cores: number } {
  const places = Math.min(lane.concurrency, lane.cores ?? lane.concurrency);
  return { places, cores: Math.min(lane.cores ?? Number.POSITIVE_INFINITY, places * coresOf(lane)) };
}

/** @param text JSON of the settings that are not the default ones; @throws where one is unknown or wrong */
export function parseLane(text: string | undefined): Lane {
  return laneSchema.parse({ ...defaultLane, ...(text ? (JSON.parse(text) as object) : {}) });
}
