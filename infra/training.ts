/** The run: Plan → Search → Select → Fit → Optimise → Gate → Register → Release, each stage a function (the `lambda` lane). */
import { availableParallelism } from 'node:os';
import { Duration, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import {
  Chain,
  Choice,
  Condition,
  DefinitionBody,
  Fail,
  JitterType,
  JsonPath,
  Map as MapState,
  StateMachine,
  StateMachineType,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { environment, type FunctionName, type Stage, stages } from '../core/names.ts';
import { targetOf } from './assets.ts';
import { keyStatement } from './encryption.ts';
import { type Access, IngotFunction, type IngotFunctionProps, type Surroundings } from './function.ts';

/** Lambda had no room, was restarted or could not be reached: the work was not done, and waiting helps. */
const lambdaTrouble = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
];

/** The function ran out of time or memory, or its process was killed. Stages take up their work where it was, so once more may do. */
const killed = ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'];

/** Which run a stage works on: the execution's input, passed to every stage. */
const run = { run: JsonPath.stringAt('$.run'), dataset: JsonPath.stringAt('$.dataset'), revision: JsonPath.stringAt('$.revision') };

const runs = { read: ['runs/'], write: ['runs/'] };
const runsAndModels = { read: ['runs/', 'models/'], write: ['runs/', 'models/'] };
const features = { read: ['features/'] };
const featuresAndTable = { read: ['clean/', 'features/'] };

/** What each stage's function does and may touch. A stage reads what earlier ones wrote under the run's own prefix. */
const stageFunctions: Record<Stage, { name: FunctionName; description: string; minutes: number; access: Access }> = {
  Plan: {
    name: 'plan',
    description: 'Decides what a run tries',
    minutes: 2,
    access: { data: featuresAndTable, models: runs },
  },
  Search: {
    name: 'search',
    description: 'Tries the candidates of one trial',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Select: {
    name: 'select',
    description: 'Ranks the candidates and picks the best',
    minutes: 2,
    access: { models: runs },
  },
  Fit: {
    name: 'fit',
    description: 'Fits the best on all training rows and writes its graph',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Optimise: {
    name: 'optimise',
    description: 'Makes the graph smaller and faster',
    minutes: 15,
    access: { data: features, models: runs },
  },
  Gate: {
    name: 'gate',
    description: 'Checks the graph against the model on every test row',
    minutes: 15,
    access: { data: featuresAndTable, models: runs },
  },
  Register: {
    name: 'register',
    description: 'Writes the immutable version',
    minutes: 2,
    access: { data: featuresAndTable, models: runsAndModels },
  },
  Release: {
    name: 'release',
    description: 'Moves the alias to the version',
    minutes: 2,
    access: { models: runsAndModels },
  },
};

export interface TrainingProps extends Surroundings {
  /** Who hears of a failed run. */
  topic: Topic;
}

export class Training extends Construct {
  readonly stateMachine: StateMachine;
  /** `fail`, then the stages' functions in order. */
  readonly functions: IngotFunction[] = [];
  private readonly surroundings: Surroundings;

  constructor(scope: Construct, id: string, { topic, ...surroundings }: TrainingProps) {
    super(scope, id);
    this.surroundings = surroundings;
    const failed = this.failure(topic);
    const states = stages.map(({ name }) => {
      const state = name === 'Search' ? this.search() : this.stage(name);
      state.addCatch(failed, { errors: ['States.ALL'], resultPath: '$.error' });
      return state;
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineType: StateMachineType.STANDARD,
      role: this.role(),
      definitionBody: DefinitionBody.fromChainable(this.chain(states)),
      timeout: Duration.hours(surroundings.config.runHours),
      comment: 'From features to a released model version',
    });
    Validations.of(this.stateMachine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason: 'A standard execution keeps every event in its history for 90 days; logging them again costs and tells no more.',
      },
      {
        id: 'AwsSolutions-SF2',
        reason: 'The history times every stage; X-Ray would add a price a trace and start-up time to each function.',
      },
    );
  }

  /** The stages one after the other; where Select has more trials, they are searched first. */
  private chain(states: (LambdaInvoke | MapState)[]): Chain {
    const [plan, search, select, fit, ...rest] = states as [LambdaInvoke, MapState, LambdaInvoke, LambdaInvoke, ...LambdaInvoke[]];
    const more = new Choice(this, 'More', { comment: 'An automatic search has rungs: the best of one go on to the next' });
    Chain.start(plan).next(search).next(select).next(more);
    more.when(Condition.isPresent('$.plan.trials[0]'), search).otherwise(fit);
    rest.reduce((chain, state) => chain.next(state), Chain.start(fit));
    return Chain.start(plan);
  }

  /** A stage: its function, called with the run (and a trial, for Search); only the names of the trials, which Plan and Select answer, are kept. */
  private stage(name: Stage): LambdaInvoke {
    const { minutes, ...about } = stageFunctions[name];
    const handler = this.function(`${name}Function`, {
      ...about,
      timeout: Duration.minutes(minutes),
      ...(name === 'Plan' && { environment: { [environment.lane]: this.lane() } }),
    });
    const task = new LambdaInvoke(this, name === 'Search' ? 'Trial' : name, {
      lambdaFunction: handler,
      payload: TaskInput.fromObject(name === 'Search' ? { ...run, trial: JsonPath.stringAt('$.trial') } : run),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      ...(name === 'Plan' || name === 'Select'
        ? { resultSelector: { trials: JsonPath.listAt('$.trials') }, resultPath: '$.plan' }
        : { resultPath: JsonPath.DISCARD }),
    });
    return withRetries(task);
  }

  /** What Plan reckons with, see core/compute/lane.ts. */
  private lane(): string {
    const { processor, pipelineMemory, controlMemory, searchConcurrency } = this.surroundings.config;
    const architecture = targetOf(processor).cpu === 'arm64' ? 'arm64' : 'x64';
    const cores = processor === 'native' && { cores: availableParallelism() };
    return JSON.stringify({ architecture, pipelineMemory, controlMemory, concurrency: searchConcurrency, ...cores });
  }

  /** A trial at a time for each of Plan's, some of them side by side. Their results are objects in the bucket, so nothing is returned. */
  private search(): MapState {
    const search = new MapState(this, 'Search', {
      itemsPath: '$.plan.trials',
      itemSelector: { ...run, trial: JsonPath.stringAt('$$.Map.Item.Value') },
      maxConcurrency: this.surroundings.config.searchConcurrency,
      resultPath: JsonPath.DISCARD,
    });
    search.itemProcessor(this.stage('Search'));
    return search;
  }

  /** Where a stage's error leads: a record, a metric and a message by `fail`, then an execution that failed with that error. */
  private failure(topic: Topic): LambdaInvoke {
    const handler = this.function('FailFunction', {
      name: 'fail',
      description: 'Records a failed run and tells the topic',
      timeout: Duration.minutes(1),
      access: {
        models: runs,
        statements: [
          new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }),
          ...(topic.masterKey ? [keyStatement(topic.masterKey, 'write')] : []),
        ],
      },
      environment: { [environment.alarmTopicArn]: topic.topicArn },
    });
    const failed = new Fail(this, 'Failed', { errorPath: '$.error.Error', causePath: '$.error.Cause' });
    const record = new LambdaInvoke(this, 'Record failure', {
      lambdaFunction: handler,
      payload: TaskInput.fromObject({ ...run, error: JsonPath.objectAt('$.error') }),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      resultPath: JsonPath.DISCARD,
    });
    record.next(failed);
    record.addCatch(failed, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
    return withRetries(record);
  }

  /** Invokes its stages' functions and no others; CDK alone would add every version and alias of them. */
  private role(): IRole {
    const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: this.functions.map((each) => each.functionArn) });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: 'Invokes the stages of a run',
      inlinePolicies: { invoke: new PolicyDocument({ statements: [invoke] }) },
    });
    return role.withoutPolicyUpdates();
  }

  private function(id: string, about: Omit<IngotFunctionProps, keyof Surroundings>): IngotFunction {
    const made = new IngotFunction(this, id, { ...this.surroundings, ...about });
    this.functions.push(made);
    return made;
  }
}

/** Retries what trying again can mend; an error of Ingot's own names a cause that stays. */
function withRetries(task: LambdaInvoke): LambdaInvoke {
  // Waits of about 1, 2, 4, 8 and 16 s, spread by full jitter.
  task.addRetry({ errors: lambdaTrouble, interval: Duration.seconds(1), maxAttempts: 5, backoffRate: 2, jitterStrategy: JitterType.FULL });
  task.addRetry({ errors: killed, interval: Duration.seconds(1), maxAttempts: 2, backoffRate: 2 });
  return task;
}
