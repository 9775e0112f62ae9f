/** The REST API: predictions to `predict`, all else to `api`, behind keys, a usage plan and throttling. */
import { ArnFormat, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  type CfnRestApi,
  type DomainNameOptions,
  EndpointType,
  type IApiKey,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  Period,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { environment } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import type { Batch } from './batch.ts';
import type { Config } from './config.ts';
import { IngotFunction, type Surroundings } from './function.ts';

export interface ServingProps extends Surroundings {
  /** Whose executions `/runs` shows and cancels. */
  stateMachine: StateMachine;
  /** Whose jobs `/runs/{id}` tells of. */
  batch?: Batch | undefined;
  domainName?: DomainNameOptions | undefined;
  api?: OwnApi | undefined;
}

/** An API that somebody else has made, and where in it ours lies: `ml` for `https://…/ml/predict`. */
export interface OwnApi {
  api: RestApi;
  path: string;
}

/** Parquet and tensors come and go as bytes, all else as text. */
const binaryMediaTypes = ['application/octet-stream', 'application/vnd.apache.parquet'];

/** Prediction paths, and whether they take a key: health is open, so that a load balancer can ask. */
const predictionPaths: [path: string, keyRequired: boolean][] = [
  ['predict', true],
  ['models/{model}/predict', true],
  ['invocations', true],
  ['ping', false],
  ['v2/health/{proxy+}', false],
  ['v2', true],
  ['v2/{proxy+}', true],
];

/** What `api` answers. A resource hides what lies under it from `/{proxy+}`, so `models` is spelt out. The console's files hold no secret. */
const apiPaths: [path: string, keyRequired: boolean][] = [
  ['', true],
  ['{proxy+}', true],
  ['models', true],
  ['models/{model}', true],
  ['models/{model}/{proxy+}', true],
  ['console', false],
  ['console/{proxy+}', false],
];

/** Answers that API Gateway gives itself, in the shape of ours. */
const gatewayAnswers: [type: ResponseType, status: number, code: string, message: string, fix: string][] = [
  [ResponseType.INVALID_API_KEY, 403, 'Forbidden', 'The API key is missing or wrong.', 'Send the key in the x-api-key header.'],
  [ResponseType.ACCESS_DENIED, 403, 'Forbidden', 'The API key is missing or wrong.', 'Send the key in the x-api-key header.'],
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, 'NotFound', 'There is no such path.', 'GET /openapi.json lists the paths.'],
  [
    ResponseType.THROTTLED,
    429,
    'TooManyRequests',
    'The key makes too many requests a second.',
    'Wait a moment and try again, or raise requestsPerSecond.',
  ],
  [
    ResponseType.QUOTA_EXCEEDED,
    429,
    'TooManyRequests',
    'The key has used up its requests for this month.',
    'Raise requestsPerMonth or use another key.',
  ],
  [
    ResponseType.REQUEST_TOO_LARGE,
    413,
    'PayloadTooLarge',
    'The body is too large for one request.',
    'Send fewer rows at a time: 6 MB is the most.',
  ],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    415,
    'UnsupportedMediaType',
    'The Content-Type is not one that the call reads.',
    'Send application/json.',
  ],
  [ResponseType.INTEGRATION_TIMEOUT, 503, 'Unavailable', 'The answer took longer than 29 seconds.', 'Send fewer rows in one request.'],
  [ResponseType.DEFAULT_4XX, 400, 'InvalidRequest', 'The request cannot be read.', 'GET /openapi.json describes every call.'],
  [ResponseType.DEFAULT_5XX, 500, 'Internal', 'The service failed.', 'Try again; if it stays, the logs of the function say why.'],
];

const sign = 'Sign it with Signature Version 4 for execute-api, as somebody whom IAM allows execute-api:Invoke.';

/** In place of those, where requests are signed. API Gateway does not tell apart a path that it does not know and a request without a signature. */
const signedAnswers: typeof gatewayAnswers = [
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, 403, 'Forbidden', 'The request is not signed, or there is no such path.', sign],
  [ResponseType.ACCESS_DENIED, 403, 'Forbidden', 'Who signed the request may not make it.', sign],
  [ResponseType.INVALID_SIGNATURE, 403, 'Forbidden', 'The signature is wrong or too old.', sign],
  [ResponseType.EXPIRED_TOKEN, 403, 'Forbidden', 'The credentials that signed the request have expired.', sign],
];

/** API Gateway gives up after 29 s. */
const timeout = Duration.seconds(29);

export class Serving extends Construct {
  readonly api: RestApi;
  /** With a slash at its end. */
  readonly url: string;
  /** Under which all paths lie. */
  private readonly root: IResource;
  readonly apiKey: IApiKey;
  /** Those of the setting `keys`, by name. */
  readonly moreKeys = new Map<string, IApiKey>();
  readonly predict: IngotFunction;
  readonly control: IngotFunction;

  constructor(scope: Construct, id: string, { stateMachine, batch, domainName, api: own, ...surroundings }: ServingProps) {
    super(scope, id);
    const { config } = surroundings;
    if (own) checkOwn(own, domainName);
    const basePath = own && { [environment.basePath]: `/${own.path}` };
    const executions = `${executionsOf(stateMachine)}:*`;
    this.predict = new IngotFunction(this, 'PredictFunction', {
      ...surroundings,
      name: 'predict',
      description: 'Answers prediction requests',
      timeout,
      access: { models: { read: ['models/'] } },
      ...(basePath && { environment: basePath }),
    });
    this.control = new IngotFunction(this, 'ApiFunction', {
      ...surroundings,
      name: 'api',
      description: 'Answers for runs, models and datasets, and serves the console',
      timeout,
      access: {
        // To write under raw/ is to sign the address of an upload.
        data: { read: ['clean/'], write: ['raw/'] },
        models: { read: ['runs/', 'models/'], write: ['models/'] },
        statements: [
          new PolicyStatement({ actions: ['states:ListExecutions'], resources: [stateMachine.stateMachineArn] }),
          new PolicyStatement({
            actions: ['states:DescribeExecution', 'states:StopExecution'],
            resources: [executions],
          }),
          ...(batch ? batch.look() : []),
        ],
      },
      environment: {
        ...basePath,
        [environment.stateMachineArn]: stateMachine.stateMachineArn,
        ...(batch && { [environment.batch]: batch.settings() }),
      },
    });
    if (batch) batch.acknowledgeLook(this.control.role!);
    acknowledgeWildcard(this.control.role!, executions, 'Any execution of the one state machine: users name the run that they ask about.');
    this.api = own?.api ?? this.restApi(surroundings, domainName);
    this.root = own ? own.api.root.resourceForPath(own.path) : this.api.root;
    this.url = domainName ? `https://${domainName.domainName}/` : own ? `${own.api.url}${own.path}/` : this.api.url;
    this.route(predictionPaths, this.predict, config);
    this.route(apiPaths, this.control, config);
    if (!own) this.gatewayResponses(config);

    const prefix = own ? 'Ingot' : '';
    this.apiKey = this.key(`${prefix}Key`, `${prefix}UsagePlan`, config);
    for (const [name, limits] of Object.entries(config.keys))
      this.moreKeys.set(name, this.key(`${prefix}${name}Key`, `${prefix}${name}UsagePlan`, config, limits));
  }

  /** An API key and its usage plan. */
  private key(id: string, planId: string, config: Config, limits: Config['keys'][string] = {}): IApiKey {
    const apiKey = this.api.addApiKey(id, { description: 'For the API of Ingot' });
    const plan = this.api.addUsagePlan(planId, {
      throttle: {
        rateLimit: limits.requestsPerSecond ?? config.requestsPerSecond,
        burstLimit: limits.requestBurst ?? config.requestBurst,
      },
      quota: { limit: limits.requestsPerMonth ?? config.requestsPerMonth, period: Period.MONTH },
      apiStages: [{ stage: this.api.deploymentStage }],
    });
    plan.addApiKey(apiKey);
    return apiKey;
  }

  private restApi({ config, data }: Surroundings, domainName: DomainNameOptions | undefined): RestApi {
    const accessLog = new LogGroup(this, 'AccessLog', {
      retention: config.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(data.key && { encryptionKey: data.key }),
    });
    const api = new RestApi(this, 'Api', {
      description: 'Predictions, models, runs and datasets',
      endpointTypes: [EndpointType.REGIONAL],
      ...(domainName && { domainName }),
      binaryMediaTypes,
      cloudWatchRole: true,
      cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
      deployOptions: {
        stageName: 'prod',
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
        loggingLevel: MethodLoggingLevel.ERROR,
        throttlingRateLimit: config.requestsPerSecond,
        throttlingBurstLimit: config.requestBurst,
      },
    });
    // RestApi has an output of its own; the address is among Ingot's.
    api.node.tryRemoveChild('Endpoint');
    Validations.of(api).acknowledge(
      {
        id: 'AwsSolutions-APIG2',
        reason: 'The functions check every request themselves, so that an error says where it is wrong and what to do.',
      },
      {
        id: 'AwsSolutions-APIG3',
        reason: 'A web ACL costs $5 a month idle; keys, a quota and throttling guard the API, and an ACL can be attached to the stage.',
      },
      { id: 'AwsSolutions-APIG4', reason: 'Callers are programs with API keys; health and the files of the console are open on purpose.' },
      { id: 'AwsSolutions-COG4', reason: 'Callers are programs with API keys, not people with a user pool.' },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason: 'The one policy with which API Gateway may write logs, an account-wide setting that AWS documents with it.',
      },
    );
    return api;
  }

  private route(paths: [string, boolean][], handler: IngotFunction, { authorization }: Config): void {
    const integration = new LambdaIntegration(handler, { scopePermissionToMethod: false });
    for (const [path, closed] of paths) {
      const resource = path === '' ? this.root : this.root.resourceForPath(path);
      resource.addMethod('ANY', integration, {
        apiKeyRequired: closed && authorization !== 'iam',
        ...(closed && authorization !== 'apiKey' && { authorizationType: AuthorizationType.IAM }),
      });
    }
  }

  private gatewayResponses({ authorization }: Config): void {
    const answers = new Map(gatewayAnswers.map((answer) => [answer[0], answer]));
    if (authorization !== 'apiKey') for (const answer of signedAnswers) answers.set(answer[0], answer);
    for (const [type, status, code, message, fix] of answers.values()) {
      this.api.addGatewayResponse(type.responseType, {
        type,
        ...(type === ResponseType.DEFAULT_4XX || type === ResponseType.DEFAULT_5XX ? {} : { statusCode: String(status) }),
        templates: { 'application/json': JSON.stringify({ error: { code, message, fix } }) },
      });
    }
  }
}

/** @throws where ours cannot lie in it */
function checkOwn({ api, path }: OwnApi, domainName: DomainNameOptions | undefined): void {
  const { binaryMediaTypes: its = [] } = api.node.defaultChild as CfnRestApi;
  const missing = binaryMediaTypes.filter((type) => !its.includes(type));
  const wrong =
    (!/^[\w-]+(\/[\w-]+)*$/.test(path) &&
      `api: the path '${path}' must be segments of letters, digits, _ and -, without slashes around them`) ||
    (missing.length > 0 && `api: give the RestApi binaryMediaTypes with ${missing.join(', ')}`) ||
    (domainName && 'domainName: give it to the RestApi of your own');
  if (wrong) throw new Error(`Ingot's configuration is wrong.\n  ${wrong}`);
}

/** `arn:…:stateMachine:name` → `arn:…:execution:name`. */
function executionsOf(stateMachine: StateMachine): string {
  return stateMachine.stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: stateMachine.stateMachineName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
