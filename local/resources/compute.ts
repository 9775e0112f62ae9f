/** Functions and state machines. */
import { existsSync, statSync } from 'node:fs';
import { environmentOf } from '../iam/iam.ts';
import { defaultAsyncSettings } from '../lambda/async-invocations.ts';
import { machineEnvironment } from '../machine-environment.ts';
import { StateMachine } from '../states/state-machine.ts';
import { accountId, region } from '../template/template.ts';
import { type Creation, nameOnly, number, object, type ResourceTypes, refusal, required, string } from './resource-type.ts';

/** Functions that the CDK adds to do what the laptop cloud does itself. */
const cdkHelpers = /^(BucketNotificationsHandler|CustomS3AutoDeleteObjects|LogRetention|AWS679f53fac002430cb0da5b7982bd2287)/;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const largestEnvironment = 4096;

export const compute: ResourceTypes = {
  'AWS::Lambda::Function': {
    properties: [
      'FunctionName',
      'Code',
      'Handler',
      'Runtime',
      'Timeout',
      'MemorySize',
      'Environment',
      'ReservedConcurrentExecutions',
      'DeadLetterConfig',
      'LoggingConfig',
      'PackageType',
      'Role',
    ],
    meaningless: ['Architectures', 'Description', 'EphemeralStorage', 'KmsKeyArn', 'SnapStart', 'Tags', 'TracingConfig'],
    create: (creation) => {
      const { id, properties, name, cloud } = creation;
      const functionName = string(properties['FunctionName']) ?? name;
      const arn = `arn:aws:lambda:${region}:${accountId}:function:${functionName}`;
      const identity = { ref: functionName, attributes: { Arn: arn } };
      if (cdkHelpers.test(id)) return identity;
      const runtime = required(properties, 'Runtime', id);
      if (!/^nodejs\d+\.x$/.test(runtime)) throw refusal(id, `the runtime ${runtime} is not Node.js`);
      const reserved = number(properties['ReservedConcurrentExecutions']);
      const timeoutMs = (number(properties['Timeout']) ?? 3) * 1000;
      const memoryMb = number(properties['MemorySize']) ?? 128;
      const handler = required(properties, 'Handler', id);
      const logGroup = string(object(properties['LoggingConfig'])['LogGroup']) ?? `/aws/lambda/${functionName}`;
      const root = assetOf(creation);
      const role = string(properties['Role']);
      const session = role === undefined ? undefined : cloud.iam.assume(role, 'lambda.amazonaws.com', functionName);
      const variables = object(object(properties['Environment'])['Variables']) as Record<string, string>;
      if (Buffer.byteLength(JSON.stringify(variables)) > largestEnvironment)
        throw refusal(id, `its environment variables are larger than the ${largestEnvironment} bytes that Lambda takes`);
      cloud.logs.create(logGroup);
      cloud.addFunction({
        name: functionName,
        arn,
        root,
        handler,
        runtime,
        timeoutMs,
        memoryMb,
        logGroup,
        environment: {
          ...machineEnvironment(cloud.home),
          ...lambdaEnvironment,
          ...environmentOf(session),
          AWS_ENDPOINT_URL: cloud.url,
          AWS_LAMBDA_FUNCTION_NAME: functionName,
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
          AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
          _HANDLER: handler,
          LAMBDA_TASK_ROOT: root,
          INGOT_LAMBDA_ARN: arn,
          INGOT_LAMBDA_TIMEOUT_MS: String(timeoutMs),
          ...variables,
        },
        ...(reserved !== undefined && { reserved }),
        ...(session && { session }),
      });
      const deadLetter = string(object(properties['DeadLetterConfig'])['TargetArn']);
      cloud.asyncSettings.set(arn, { ...defaultAsyncSettings, ...(deadLetter && { deadLetter }) });
      return identity;
    },
  },
  'AWS::Lambda::EventInvokeConfig': {
    properties: ['FunctionName', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds', 'DestinationConfig'],
    meaningless: ['Qualifier'],
    create: ({ id, properties, cloud }) => {
      const lambda = cloud.findFunction(required(properties, 'FunctionName', id));
      if (!lambda) throw refusal(id, 'its function is not there');
      const { arn } = lambda.settings;
      const destination = (kind: string) => string(object(object(properties['DestinationConfig'])[kind])['Destination']);
      const onFailure = destination('OnFailure');
      const onSuccess = destination('OnSuccess');
      const before = cloud.asyncSettings.get(arn) ?? defaultAsyncSettings;
      cloud.asyncSettings.set(arn, {
        ...before,
        retries: number(properties['MaximumRetryAttempts']) ?? before.retries,
        maximumAgeMs: (number(properties['MaximumEventAgeInSeconds']) ?? before.maximumAgeMs / 1000) * 1000,
        ...(onFailure && { onFailure }),
        ...(onSuccess && { onSuccess }),
      });
      return nameOnly(id);
    },
  },
  'AWS::StepFunctions::StateMachine': {
    properties: ['StateMachineName', 'DefinitionString', 'StateMachineType', 'RoleArn'],
    meaningless: ['Tags', 'TracingConfiguration', 'LoggingConfiguration'],
    create: ({ id, name, properties, cloud }) => {
      if ((properties['StateMachineType'] ?? 'STANDARD') !== 'STANDARD') throw refusal(id, 'only STANDARD state machines are there');
      const machineName = string(properties['StateMachineName']) ?? name;
      const arn = `arn:aws:states:${region}:${accountId}:stateMachine:${machineName}`;
      const definition = required(properties, 'DefinitionString', id);
      const role = string(properties['RoleArn']);
      const session = role === undefined ? undefined : cloud.iam.assume(role, 'states.amazonaws.com', machineName);
      cloud.machines.set(
        arn,
        new StateMachine(cloud.home, machineName, arn, definition, {
          invoke: async (resource, input, context) => {
            if (session) cloud.allowTask(session, resource, input);
            return cloud.invokeTask(resource, input, context);
          },
          changed: (execution) => cloud.executionChanged(execution),
          soon: (resource) => cloud.findFunction(resource)?.warm(),
        }),
      );
      return { ref: arn, attributes: { Arn: arn, Name: machineName } };
    },
  },
};

function assetOf({ id, properties, stack }: Creation): string {
  const key = string(object(properties['Code'])['S3Key']);
  const root = key === undefined ? undefined : stack.assets.get(key);
  if (!root || !existsSync(root) || !statSync(root).isDirectory())
    throw refusal(id, 'its code is not a directory among the assets of the app');
  return root;
}

/** What of a function's environment is the same for all. */
const lambdaEnvironment = {
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_LOG_STREAM_NAME: 'laptop',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
};
