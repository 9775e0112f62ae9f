/** What Batch's calls take, checked as AWS checks it. Fields that mean nothing here are let through, and kept where a description shows them. */
import * as z from 'zod/mini';
import { ServiceError } from '../protocol/service.ts';

const environment = z.array(z.object({ name: z.string(), value: z.optional(z.string()) }));
const resourceRequirements = z.array(z.object({ type: z.enum(['GPU', 'MEMORY', 'VCPU']), value: z.coerce.string() }));
const strings = z.array(z.string());
const texts = z.record(z.string(), z.coerce.string());

/** Descriptions show them, empty or not. */
const list = z._default(z.array(z.json()), []);

const containerProperties = z.looseObject({
  image: z.string(),
  jobRoleArn: z.optional(z.string()),
  volumes: list,
  mountPoints: list,
  ulimits: list,
  secrets: list,
  command: z._default(strings, []),
  environment: z._default(environment, []),
  resourceRequirements: z._default(resourceRequirements, []),
  vcpus: z.optional(z.coerce.number()),
  memory: z.optional(z.coerce.number()),
  logConfiguration: z.optional(z.looseObject({ logDriver: z.string(), options: z.optional(texts) })),
});

export type ContainerProperties = z.infer<typeof containerProperties>;

/** A text to compare with, and a star at its end for any further. */
const pattern = z.optional(z.string().check(z.maxLength(512)));

const retryStrategy = z.object({
  attempts: z._default(z.coerce.number().check(z.minimum(1), z.maximum(10)), 1),
  evaluateOnExit: z._default(
    z
      .array(
        z.object({
          onStatusReason: pattern,
          onReason: pattern,
          onExitCode: pattern,
          action: z.pipe(
            z.string(),
            z.transform((action) => action.toUpperCase()),
          ),
        }),
      )
      .check(z.maxLength(5)),
    [],
  ),
});

export type RetryStrategy = z.infer<typeof retryStrategy>;

const shortestTimeout = 60;
const timeout = z.object({
  attemptDurationSeconds: z.coerce
    .number()
    .check(z.minimum(shortestTimeout, `attemptDurationSeconds must be at least ${shortestTimeout} seconds`)),
});

const name = z.string().check(z.regex(/^[A-Za-z0-9][\w-]{0,127}$/, 'must be up to 128 letters, numbers, hyphens and underscores'));
const priority = z.coerce.number().check(z.minimum(0), z.maximum(9999));
const tags = z._default(texts, {});

export const definitionRequest = z.object({
  jobDefinitionName: name,
  type: z.pipe(
    z.string(),
    z.transform((type) => type.toLowerCase()),
  ),
  parameters: z._default(texts, {}),
  schedulingPriority: z.optional(priority),
  containerProperties: containerProperties.check(
    z.refine(
      ({ memory, resourceRequirements: needs }) => memory !== undefined || needs.some(({ type }) => type === 'MEMORY'),
      'Resource requirements MEMORY is required',
    ),
  ),
  retryStrategy: z.optional(retryStrategy),
  timeout: z.optional(timeout),
  propagateTags: z.optional(z.boolean()),
  platformCapabilities: z._default(strings, ['EC2']),
  tags,
});

export type DefinitionRequest = z.infer<typeof definitionRequest>;

export const largestArray = 10_000;

/** Characters of a job's overrides, which Batch hands on to ECS: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html */
const largestOverrides = 8192;
/** KiB of a call that submits a job, and of a definition: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html */
const largestKib = { Job: 30, 'Job definition': 24 };

/** @throws ServiceError ClientException for a call that is larger than AWS takes it */
export function checkSize(kind: keyof typeof largestKib, input: unknown): void {
  const overrides = JSON.stringify((input as { containerOverrides?: unknown }).containerOverrides ?? {}).length;
  if (overrides > largestOverrides) throw refused(`Container Overrides length must be at most ${largestOverrides}.`);
  const kib = Buffer.byteLength(JSON.stringify(input)) / 1024;
  if (kib > largestKib[kind]) throw refused(`${kind} size must be less than ${largestKib[kind]} KiB, got ${Math.floor(kib)} KiB`);
}

export const submitRequest = z.object({
  jobName: name,
  jobQueue: z.string(),
  jobDefinition: z.string(),
  shareIdentifier: z.optional(z.string().check(z.regex(/^[A-Za-z0-9]{1,255}$/, 'must be up to 255 letters and numbers'))),
  schedulingPriorityOverride: z.optional(priority),
  arrayProperties: z.optional(
    z.object({ size: z.optional(z.coerce.number().check(z.minimum(2), z.maximum(largestArray), z.multipleOf(1))) }),
  ),
  dependsOn: z._default(
    z.array(z.object({ jobId: z.optional(z.string()), type: z.optional(z.enum(['N_TO_N', 'SEQUENTIAL'])) })).check(z.maxLength(20)),
    [],
  ),
  parameters: z._default(texts, {}),
  containerOverrides: z._default(
    z.object({
      command: z.optional(strings),
      environment: z._default(environment, []),
      resourceRequirements: z._default(resourceRequirements, []),
      vcpus: z.optional(z.coerce.number()),
      memory: z.optional(z.coerce.number()),
    }),
    { environment: [], resourceRequirements: [] },
  ),
  retryStrategy: z.optional(retryStrategy),
  timeout: z.optional(timeout),
  propagateTags: z._default(z.boolean(), false),
  tags,
});

export type SubmitRequest = z.infer<typeof submitRequest>;

const ofOneJob = z.object({ jobId: z.string(), reason: z.string() });
const ofAPage = { maxResults: z.optional(z.coerce.number()), nextToken: z.optional(z.string()) };
const state = z.optional(z.enum(['ENABLED', 'DISABLED']));

export const requests = {
  oneJob: ofOneJob,
  someJobs: z.object({ jobs: strings.check(z.minLength(1), z.maxLength(100)) }),
  listJobs: z.object({
    jobQueue: z.optional(z.string()),
    arrayJobId: z.optional(z.string()),
    jobStatus: z.optional(z.enum(['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'])),
    filters: z._default(z.array(z.object({ name: z.string(), values: strings })), []),
    ...ofAPage,
  }),
  definitions: z.object({
    jobDefinitions: z.optional(strings),
    jobDefinitionName: z.optional(z.string()),
    status: z.optional(z.string()),
    ...ofAPage,
  }),
  oneDefinition: z.object({ jobDefinition: z.string() }),
  queues: z.object({ jobQueues: z.optional(strings), ...ofAPage }),
  oneQueue: z.object({ jobQueue: z.string() }),
  updateQueue: z.object({
    jobQueue: z.string(),
    state,
    priority: z.optional(z.coerce.number()),
    schedulingPolicyArn: z.optional(z.string()),
  }),
  environments: z.object({ computeEnvironments: z.optional(strings), ...ofAPage }),
  updateEnvironment: z.object({
    computeEnvironment: z.string(),
    state,
    computeResources: z.optional(z.looseObject({ maxvCpus: z.optional(z.coerce.number()) })),
  }),
  policies: z.object({ arns: strings }),
  page: z.object(ofAPage),
  tags: z.object({ tags: texts }),
};

/** @throws ServiceError ClientException that names the first field that is wrong. */
export function parse<T>(schema: z.ZodMiniType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw refused(`Error executing request, Exception : ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
}

export function refused(message: string): ServiceError {
  return new ServiceError('ClientException', message);
}
