/** What a deployment may choose: CDK context `ingot:<name>` (`cdk deploy -c ingot:servingMemory=3008`, or cdk.json), or props of `Ingot`. */
import type { Node } from 'constructs';
import { z } from 'zod/mini';
import { priceListSchema } from '../core/compute/prices.ts';

/** Retention periods that CloudWatch Logs accepts, in days. */
const logRetentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const whole = (fallback: number, least: number, most: number) =>
  z._default(z.coerce.number().check(z.multipleOf(1), z.gte(least), z.lte(most)), fallback);

const flag = z._default(z.union([z.boolean(), z.stringbool()], 'must be true or false'), false);

/** Text, as the command line gives it, is read as JSON. */
const json = z.transform((value) => {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return value;
  }
});
/** Names separated by commas, or a list of them. */
const names = z._default(
  z.pipe(
    z.union([z.string(), z.array(z.string())], 'must be names, separated by commas'),
    z.transform((value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value).filter((name) => name !== '')),
  ),
  [],
);

/** Lambda gives a function one processor core for each 1,769 MB. */
const memory = (megabytes: number) => whole(megabytes, 128, 10_240);

const rate = (fallback: number) => whole(fallback, 1, 100_000);

const bucketName = z.optional(z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)));

const optional = (most: number) => z.optional(z.coerce.number().check(z.multipleOf(1), z.gte(1), z.lte(most)));
const keyName = z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9]{0,29}$/));
const keyNames = {
  error: ({ code }: { code?: string }) =>
    code === 'invalid_key' ? 'a name begins with a letter and has letters and digits alone, 30 at most' : undefined,
};
const keyLimits = z.strictObject({
  requestsPerSecond: optional(100_000),
  requestBurst: optional(100_000),
  requestsPerMonth: optional(2_000_000_000),
});

const schema = z.strictObject({
  /**
   * What the functions run on. `arm64` costs a fifth less than `x64` in the cloud; `native` is this machine's own processor and system, for the
   * laptop cloud and for emulators that run functions as local processes.
   */
  processor: z._default(z.enum(['arm64', 'x64', 'native']), 'arm64'),

  /** MB of the functions that clean, search, fit and check. New AWS accounts allow 3,008 at most. */
  pipelineMemory: memory(3008),
  /** MB of the functions that only decide and write small objects, and of the API's own calls. */
  controlMemory: memory(512),
  /** MB of `predict`: one whole core, which also halves its cold start against half a core. */
  servingMemory: memory(1769),
  /** MB of disk at `/tmp` for the pipeline's functions: an upload, its clean table and DuckDB's spill. */
  pipelineDisk: whole(4096, 512, 10_240),

  /** Trials of one run that are searched at a time. New AWS accounts may run ten functions at once; Step Functions goes up to 40. */
  searchConcurrency: whole(8, 1, 40),
  /** Hours after which a run is stopped whatever it does: the last resort behind each stage's own time limit and retries. */
  runHours: whole(6, 1, 72),

  /** Batch for what is too large or too slow for functions; `off` leaves functions to do everything. */
  batch: z._default(z.enum(['on', 'off']), 'on'),
  /** vCPUs that all jobs of a queue may have at a time on spot capacity, and as many again on demand behind it. New AWS accounts allow few on Fargate; a quota can be raised. */
  batchVcpus: whole(64, 1, 10_000),
  /** The image in which jobs run their code: any with Node 24. The default one is public and reachable over IPv6. */
  jobImage: z._default(z.string().check(z.minLength(1)), 'ecr-public.aws.com/docker/library/node:24-slim'),
  /** GB of disk of a job that cleans and transforms a large upload: the upload, its tables and DuckDB's spill. */
  jobDisk: whole(200, 21, 200),
  /** Machines with a GPU, for a family of models of your own: none that is here makes use of one. */
  gpu: z._default(z.enum(['on', 'off']), 'off'),
  /** How jobs reach AWS from subnets that nothing reaches, see infra/network.ts; without a meaning where `subnetIds` are given. */
  jobNetwork: z._default(z.enum(['dualstack', 'endpoints']), 'dualstack'),
  /** Subnets and security groups of your own for the jobs, separated by commas; where the construct is given a `network`, those of it. */
  subnetIds: names,
  securityGroupIds: names,
  /** MB of an upload from which it is cleaned by a job, not by a function. */
  batchUpload: whole(500, 1, 10_240),

  /**
   * Who may call the API: whoever has a key (`apiKey`), whom IAM allows `execute-api:Invoke` and who signs the request (`iam`), or who has and does
   * both (`both`), so that the usage plan of the key counts what is signed.
   */
  authorization: z._default(z.enum(['apiKey', 'iam', 'both']), 'apiKey'),
  /** Requests a second, and in a burst, that one API key may make, and that the stage takes from all keys: what an account has by default. */
  requestsPerSecond: rate(10_000),
  requestBurst: rate(5000),
  /** Requests a month that one API key may make. */
  requestsPerMonth: whole(10_000_000, 1, 2_000_000_000),
  /** Further API keys by name, each with a usage plan of its own: `{"mobile": {"requestsPerSecond": 5}}`. What is left out is as for the first key. */
  keys: z._default(z.pipe(json, z.record(keyName, keyLimits, keyNames)), {}),

  /** What AWS charges in the region, for estimates and budgets: a whole list. @default AWS's public ones of core/compute/prices.ts */
  prices: z.optional(z.pipe(json, priceListSchema)),

  /** Whether objects, messages and logs are encrypted with a KMS key of the stack's, not with the services' own. It costs $1 a month, and each use. */
  customerKey: flag,

  /** Buckets that are there already, in place of new ones: those that a stack has left, say. As the construct's `dataBucket` and `modelBucket` must be. */
  dataBucketName: bucketName,
  modelBucketName: bucketName,

  /** Days that logs, and replaced or deleted objects, are kept. */
  logDays: z._default(
    z.coerce.number().check(z.refine((days) => logRetentions.includes(days), `must be one of ${logRetentions.join(', ')}`)),
    30,
  ),
  replacedObjectDays: whole(30, 1, 3650),

  /** Where alarms and failed runs are mailed; AWS asks the address for consent first. */
  alarmEmail: z.optional(z.string().check(z.email())),
  /** API answers of 5xx in five minutes from which it is an alarm. */
  alarmApiErrors: whole(5, 1, 1_000_000),
  /** Milliseconds of API latency, each over three spans of five minutes. */
  alarmLatencyP95: whole(2000, 1, 29_000),
  alarmLatencyP99: whole(5000, 1, 29_000),
  /** Minutes that a job of Batch waits for room, and per cent of its memory that one uses. */
  alarmQueueMinutes: whole(60, 1, 10_080),
  alarmJobMemory: whole(90, 1, 100),
});

export type Config = z.infer<typeof schema>;

/** Checks a configuration and fills in what it leaves out; throws with every wrong value by name. */
export function parseConfig(values: Record<string, unknown>): Config {
  // zod/mini has no words of its own.
  const parsed = schema.safeParse(values, { error: z.locales.en().localeError });
  if (parsed.success) return agreeing(parsed.data);
  const problems = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.path.length > 0
        ? `${issue.path.join('.')}: has no ${issue.keys.join(', ')}`
        : `${issue.keys.join(', ')}: no such setting (there are ${Object.keys(schema.shape).join(', ')})`
      : `${issue.path.join('.')}: ${issue.message}`,
  );
  throw new Error(`Ingot's configuration is wrong.\n  ${problems.join('\n  ')}`);
}

/** Settings that need each other. */
function agreeing(config: Config): Config {
  const { jobNetwork, subnetIds, securityGroupIds, jobImage, gpu, batch } = config;
  const own = subnetIds.length > 0;
  const problem = own
    ? securityGroupIds.length === 0 && 'subnetIds: securityGroupIds must say who may speak with jobs in them'
    : jobNetwork === 'endpoints' && !/\.dkr\.ecr\./.test(jobImage)
      ? "jobNetwork: from subnets with endpoints alone only an image in the account's own registry can be fetched; copy one there and name it as jobImage (docs/deploy.md)"
      : gpu === 'on' && jobNetwork === 'dualstack' && 'gpu: machines of EC2 need the jobNetwork `endpoints`, or subnetIds of your own';
  const wrong = problem || (gpu === 'on' && config.processor === 'arm64' && 'gpu: its machines take code for the processor x64');
  if (wrong && batch === 'on') throw new Error(`Ingot's configuration is wrong.\n  ${wrong}`);
  return config;
}

const prefix = 'ingot:';

/** The `ingot:` part of a CDK context, without the prefix. */
export function contextConfig(node: Node): Record<string, unknown> {
  const context = Object.entries(node.getAllContext() as Record<string, unknown>);
  return Object.fromEntries(context.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
}
