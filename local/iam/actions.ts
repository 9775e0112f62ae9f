/** What IAM calls an operation of a service, and which resource it is about. */
import type { JsonObject } from '../template/intrinsics.ts';
import { accountId, region } from '../template/template.ts';
import type { Call } from './policy.ts';

interface Service {
  /** Before the colon of its actions. */
  prefix: string;
  /** Its error for a call that is not allowed. */
  refusal: { code: string; status: number };
  /** ARNs of what an operation is about; none where its action has no resource. */
  resources(input: JsonObject): (string | undefined)[];
  /** Operations whose action has another name. */
  actions?: Record<string, string>;
  context?(input: JsonObject): Record<string, string | undefined>;
}

const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${accountId}:${resource}`;
const text = (input: JsonObject, name: string) => input[name] as string | undefined;
/** A name or an ARN, as an ARN. */
const named = (name: string | undefined, service: string, kind: string) =>
  name === undefined ? undefined : name.startsWith('arn:') ? name : arn(service, `${kind}${name}`);

export const services: Record<string, Service> = {
  states: {
    prefix: 'states',
    refusal: { code: 'AccessDeniedException', status: 400 },
    resources: (input) => [text(input, 'stateMachineArn') ?? text(input, 'executionArn')],
  },
  sqs: {
    prefix: 'sqs',
    refusal: { code: 'AccessDenied', status: 403 },
    resources: (input) => [named(text(input, 'QueueUrl')?.split('/').at(-1) ?? text(input, 'QueueName'), 'sqs', '')],
    actions: { SendMessageBatch: 'SendMessage', DeleteMessageBatch: 'DeleteMessage' },
  },
  sns: {
    prefix: 'sns',
    refusal: { code: 'AuthorizationError', status: 403 },
    resources: (input) => [text(input, 'TopicArn')],
  },
  monitoring: {
    prefix: 'cloudwatch',
    refusal: { code: 'AccessDenied', status: 403 },
    resources: (input) => [named(text(input, 'AlarmName'), 'cloudwatch', 'alarm:')],
    context: (input) => ({ 'cloudwatch:namespace': text(input, 'Namespace') }),
  },
  logs: {
    prefix: 'logs',
    refusal: { code: 'AccessDeniedException', status: 400 },
    resources: (input) => [named(text(input, 'logGroupName'), 'logs', 'log-group:')],
  },
  events: {
    prefix: 'events',
    refusal: { code: 'AccessDeniedException', status: 400 },
    resources: (input) => [named(text(input, 'Name'), 'events', 'rule/')],
  },
  lambda: {
    prefix: 'lambda',
    refusal: { code: 'AccessDeniedException', status: 403 },
    resources: (input) => [named(text(input, 'FunctionName'), 'lambda', 'function:')],
    actions: { Invoke: 'InvokeFunction' },
  },
  batch: {
    prefix: 'batch',
    refusal: { code: 'AccessDeniedException', status: 403 },
    resources: (input) => [
      named(text(input, 'jobDefinition') ?? text(input, 'JobDefinition'), 'batch', 'job-definition/'),
      named(text(input, 'jobQueue') ?? text(input, 'JobQueue'), 'batch', 'job-queue/'),
      named(text(input, 'jobId'), 'batch', 'job/'),
    ],
  },
  apigateway: {
    prefix: 'apigateway',
    refusal: { code: 'AccessDeniedException', status: 403 },
    resources: (input) => [`arn:aws:apigateway:${region}::${text(input, 'path')}`],
  },
};

/** Actions of Batch that have no resource, so that their policies say `*`. */
const withoutResource = new Set([
  'batch:DescribeJobs',
  'batch:ListJobs',
  'batch:DescribeJobQueues',
  'batch:DescribeJobDefinitions',
  'batch:DescribeComputeEnvironments',
]);

/** The calls to hold against a policy for one operation of a service. */
export function callsOf(service: string, operation: string, input: JsonObject): Call[] {
  const { prefix, actions, resources, context } = services[service]!;
  const action = `${prefix}:${actions?.[operation] ?? operation}`;
  const found = withoutResource.has(action) ? [] : resources(input).filter((resource) => resource !== undefined);
  return (found.length > 0 ? found : ['*']).map((resource) => ({ action, resource, ...(context && { context: context(input) }) }));
}

/** The operation of a request to a service that tells it by method and path. */
export function restOperation(
  service: string,
  method: string,
  path: string,
  body: JsonObject,
): { operation: string; input: JsonObject } | undefined {
  if (service === 'apigateway') return { operation: method, input: { path } };
  if (service === 'lambda') {
    const [, name, part] = /^\/2015-03-31\/functions(?:\/([^/]+)(?:\/([a-z-]+))?)?\/?$/.exec(path) ?? [];
    const operation =
      name === undefined ? 'ListFunctions' : part === 'invocations' ? 'Invoke' : part ? 'GetFunctionConfiguration' : 'GetFunction';
    return { operation, input: name === undefined ? {} : { FunctionName: decodeURIComponent(name) } };
  }
  if (service === 'batch') {
    const operation = batchOperations.find((each) => path.toLowerCase() === `/v1/${each.toLowerCase()}`);
    return operation === undefined ? undefined : { operation, input: body };
  }
  return undefined;
}

const batchOperations = [
  'SubmitJob',
  'TerminateJob',
  'CancelJob',
  'DescribeJobs',
  'ListJobs',
  'DescribeJobQueues',
  'DescribeJobDefinitions',
  'DescribeComputeEnvironments',
];

/** What a state machine's role needs for a task: the function of a Lambda task, or the operation of a service integration. */
export function callsOfTask(resource: string, input: JsonObject): Call[] {
  if (resource.startsWith('arn:aws:lambda:')) return callsOf('lambda', 'Invoke', { FunctionName: resource });
  const [, service, operation] = /^arn:aws:states:::(?:aws-sdk:)?([a-z]+):(\w+)/.exec(resource) ?? [];
  if (service === undefined || !services[service]) return [{ action: `${service}:${operation}`, resource: '*' }];
  return callsOf(service, operation!.charAt(0).toUpperCase() + operation!.slice(1), input);
}
