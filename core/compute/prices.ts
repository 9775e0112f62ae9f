/** What the parts of a run cost. Prices differ by region and change: a deployment may give its own. */
import * as z from 'zod/mini';

const dollars = z.number().check(z.nonnegative());

export const priceListSchema = z.strictObject({
  region: z.string(),
  /** When these prices were AWS's public ones. */
  asOf: z.string(),
  /** A GB (2^30 bytes) of a function's memory for a second, in the first tier. */
  lambdaGigabyteSecond: z.strictObject({ arm64: dollars, x64: dollars }),
  lambdaRequest: dollars,
  /** A state transition of a standard state machine. */
  transition: dollars,
  s3Put: dollars,
  s3Get: dollars,
});

export type PriceList = z.infer<typeof priceListSchema>;

/** us-east-1, by the public price pages of Lambda, Step Functions and S3 Standard; free tiers are not taken off. */
export const publicPrices: PriceList = {
  region: 'us-east-1',
  asOf: '2025-06',
  lambdaGigabyteSecond: { arm64: 0.000_013_333_4, x64: 0.000_016_666_7 },
  lambdaRequest: 0.2 / 1e6,
  transition: 0.025 / 1000,
  s3Put: 0.005 / 1000,
  s3Get: 0.0004 / 1000,
};
