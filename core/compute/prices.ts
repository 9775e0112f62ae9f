/** What the parts of a run cost. Prices differ by region and change: a deployment may give its own. */
import * as z from 'zod/mini';

const dollars = z.number().check(z.nonnegative());

const text = z.string().check(z.minLength(1));

const batchPrice = z.strictObject({ vcpuHour: dollars, gigabyteHour: dollars, spot: z.number().check(z.gt(0), z.lte(1)) });

export const priceListSchema = z.strictObject({
  region: text,
  /** When these prices were in force, and where they are from: whoever reads dollars reads both. */
  asOf: text,
  source: text,
  /** A GB (2^30 bytes) of a function's memory for a second, in the first tier. */
  lambdaGigabyteSecond: z.strictObject({ arm64: dollars, x64: dollars }),
  lambdaRequest: dollars,
  /** A vCPU and a GB of a job's for an hour, on demand, and what part of that spot capacity is expected to cost. */
  fargate: z.strictObject({ arm64: batchPrice, x64: batchPrice }),
  /** EC2's by a general-purpose machine (m7g, m7i) and what memory-optimised ones cost more; the GPU is one of the smallest machine that has one. */
  ec2: z.strictObject({ arm64: batchPrice, x64: batchPrice }),
  gpu: z.strictObject({ machineHour: dollars, spot: z.number().check(z.gt(0), z.lte(1)) }),
  /** A state transition of a standard state machine. */
  transition: dollars,
  s3Put: dollars,
  s3Get: dollars,
});

export type PriceList = z.infer<typeof priceListSchema>;

/** By which list dollars were reckoned. */
export type PricedBy = Pick<PriceList, 'region' | 'asOf' | 'source'>;

/**
 * us-east-1, by the public price pages of Lambda, Fargate, EC2, Step Functions and S3 Standard; free tiers are not taken off. EC2 has no price by
 * vCPU and GB: these two give those of m7g and r7g, and of m7i and r7i, to a cent. Spot prices move; the parts are what they were at.
 */
export const publicPrices: PriceList = {
  region: 'us-east-1',
  asOf: '2025-06',
  source: "AWS's public price pages",
  lambdaGigabyteSecond: { arm64: 0.000_013_333_4, x64: 0.000_016_666_7 },
  lambdaRequest: 0.2 / 1e6,
  fargate: {
    arm64: { vcpuHour: 0.032_38, gigabyteHour: 0.003_56, spot: 0.3 },
    x64: { vcpuHour: 0.040_48, gigabyteHour: 0.004_445, spot: 0.3 },
  },
  ec2: {
    arm64: { vcpuHour: 0.028, gigabyteHour: 0.0032, spot: 0.4 },
    x64: { vcpuHour: 0.0345, gigabyteHour: 0.004, spot: 0.4 },
  },
  gpu: { machineHour: 1.006, spot: 0.4 },
  transition: 0.025 / 1000,
  s3Put: 0.005 / 1000,
  s3Get: 0.0004 / 1000,
};
