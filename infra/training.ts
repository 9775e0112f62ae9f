/**
 * The run: Plan → Search → Select → Fit → Optimise → Gate → Register → Release; where Select has more trials, they are searched first. Each stage
 * is a function; where Plan says so, the search is an array job of Batch in its place, and all from the fit to the gate another job.
 */
import { availableParallelism } from 'node:os';
import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import {
  Choice,
  Condition,
  CustomState,
  DefinitionBody,
  Fail,
  type INextable,
  JitterType,
  JsonPath,
  Map as MapState,
  type State,
  StateMachine,
  StateMachineType,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { environment, type Stage, stages } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { targetOf } from './assets.ts';
import type { Batch } from './batch.ts';
import { keyStatement } from './encryption.ts';
import { IngotFunction, type IngotFunctionProps, type Surroundings } from './function.ts';
import { runs, stageFunctions } from './stages.ts';

/** Lambda had no room, was restarted or could not be reached: the work was not done, and waiting helps. */
const lambdaTrouble = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
];

/** All functions that the account may run are at work; new accounts have ten. A place comes free when one of them ends, within a quarter of an hour. */
const noPlace = ['Lambda.TooManyRequestsException'];

/** The function ran out of time or memory, or its process was killed. Stages take up their work where it was, so once more may do. */
const killed = ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'];

/** Batch could not be reached, or had too much to do: the job was not submitted. */
const batchTrouble = ['Batch.AWSBatchException', 'Batch.ServerException', 'Batch.SdkClientException', 'Batch.TooManyRequestsException'];

/** Which run a stage works on: the execution's input, passed to every stage. */
const run = { run: JsonPath.stringAt('$.run'), dataset: JsonPath.stringAt('$.dataset'), revision: JsonPath.stringAt('$.revision') };

export interface TrainingProps extends Surroundings {
  /** Who hears of a failed run. */
  topic: Topic;
  /** Where it is, for runs that are too large for functions. */
  batch?: Batch | undefined;
}

export class Training extends Construct {
  readonly stateMachine: StateMachine;
  /** `fail`, then the stages' functions in order. */
  readonly functions: IngotFunction[] = [];
  private readonly surroundings: Surroundings;
  private readonly batch: Batch | undefined;
  private planFunction!: IngotFunction;
  private searchFunction!: IngotFunction;

  constructor(scope: Construct, id: string, { topic, batch, ...surroundings }: TrainingProps) {
    super(scope, id);
    this.surroundings = surroundings;
    this.batch = batch;
    const failed = this.failure(topic);
    const states = Object.fromEntries(
      stages.map(({ name }) => {
        const state = name === 'Search' ? this.search() : this.stage(name);
        state.addCatch(failed, { errors: ['States.ALL'], resultPath: '$.error' });
        return [name, state];
      }),
    ) as Record<Stage, LambdaInvoke | MapState>;
    this.connect(states, failed);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineType: StateMachineType.STANDARD,
      role: this.role(),
      definitionBody: DefinitionBody.fromChainable(states.Plan),
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
  private connect(states: Record<Stage, LambdaInvoke | MapState>, failed: LambdaInvoke): void {
    const { Plan, Search, Select, Fit, Optimise, Gate, Register, Release } = states;
    const { search, finish } = this.batch ? this.onBatch(states, failed) : { search: Search, finish: Fit };
    const more = new Choice(this, 'More', { comment: 'An automatic search has rungs: the best of one go on to the next' });
    more.when(Condition.isPresent('$.plan.trials[0]'), search).otherwise(finish);
    Plan.next(search);
    Search.next(Select).next(more);
    Fit.next(Optimise).next(Gate).next(Register).next(Release);
  }

  /** A stage: its function, called with the run (and a trial, for Search); only what Plan and Select answer is kept: the names of the trials, and the jobs. */
  private stage(name: Stage): LambdaInvoke {
    const { minutes, ...about } = stageFunctions[name];
    const looks = name === 'Plan' && this.batch;
    const handler = this.function(`${name}Function`, {
      ...about,
      ...(looks && { access: { ...about.access, statements: [...looks.look(), looks.stop()] } }),
      timeout: Duration.minutes(minutes),
      ...((name === 'Plan' || name === 'Select') && {
        environment: {
          ...(name === 'Plan' && { [environment.lane]: this.lane() }),
          ...(this.batch && { [environment.batch]: this.batch.settings() }),
        },
      }),
    });
    if (name === 'Plan') this.planFunction = handler;
    if (name === 'Search') this.searchFunction = handler;
    if (looks) {
      looks.acknowledgeLook(handler.role!);
      acknowledgeWildcard(handler.role!, looks.anyJob, noName);
    }
    const task = new LambdaInvoke(this, name === 'Search' ? 'Trial' : name, {
      lambdaFunction: handler,
      payload: TaskInput.fromObject(name === 'Search' ? { ...run, trial: JsonPath.stringAt('$.trial') } : run),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      resultPath: name === 'Plan' || name === 'Select' ? '$.plan' : JsonPath.DISCARD,
    });
    return withRetries(task);
  }

  /** A trial; where every attempt at it was ended, what it tries is left out. */
  private trial(): LambdaInvoke {
    const task = this.stage('Search');
    const givenUp = new LambdaInvoke(this, 'Trial given up', {
      lambdaFunction: this.searchFunction,
      payload: TaskInput.fromObject({ ...run, trial: JsonPath.stringAt('$.trial'), error: JsonPath.objectAt('$.error') }),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      resultPath: JsonPath.DISCARD,
    });
    task.addCatch(withRetries(givenUp), { errors: killed, resultPath: '$.error' });
    return task;
  }

  /** What Plan reckons with, see core/compute/lane.ts. */
  private lane(): string {
    const { processor, pipelineMemory, controlMemory, searchConcurrency, prices } = this.surroundings.config;
    const architecture = targetOf(processor).cpu === 'arm64' ? 'arm64' : 'x64';
    const cores = processor === 'native' && { cores: availableParallelism() };
    return JSON.stringify({
      architecture,
      pipelineMemory,
      controlMemory,
      concurrency: searchConcurrency,
      ...cores,
      ...(prices && { prices }),
    });
  }

  /** A trial at a time for each of Plan's, some of them side by side. Their results are objects in the bucket, so nothing is returned. */
  private search(): MapState {
    const search = new MapState(this, 'Search', {
      itemsPath: '$.plan.trials',
      itemSelector: { ...run, trial: JsonPath.stringAt('$$.Map.Item.Value') },
      maxConcurrency: this.surroundings.config.searchConcurrency,
      resultPath: JsonPath.DISCARD,
    });
    search.itemProcessor(this.trial());
    return search;
  }

  /**
   * The ways through Batch, taken where Plan's answer has a job. Where one fails, Plan is asked anew with the error: it sends the run through the
   * functions if they can do it, and else says what to do.
   * @returns what begins a search, and what comes after the last one
   */
  private onBatch(states: Record<Stage, State & INextable>, failed: LambdaInvoke): Record<'search' | 'finish', Choice> {
    const anew = new LambdaInvoke(this, 'Plan anew', {
      lambdaFunction: this.planFunction,
      payload: TaskInput.fromObject({ ...run, error: JsonPath.objectAt('$.error') }),
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      resultPath: '$.plan',
    });
    withRetries(anew).addCatch(failed, { errors: ['States.ALL'], resultPath: '$.error' });
    const ways = (id: string, what: 'search' | 'finish', job: CustomState, stage: State) =>
      new Choice(this, id).when(Condition.isPresent(`$.plan.job.${what}`), job).otherwise(stage);
    const job = (id: string, suffix: 'search' | 'finish', about: object) => {
      const state = this.job(id, suffix, about);
      state.addCatch(anew, { errors: ['States.ALL'], resultPath: '$.error' });
      return state;
    };
    const search = job('Search on Batch', 'search', {
      ArrayProperties: { 'Size.$': '$.plan.job.children' },
      'ContainerOverrides.$': '$.plan.job.search',
    });
    const finish = job('Finish on Batch', 'finish', { 'ContainerOverrides.$': '$.plan.job.finish' });
    const searching = ways('Where to search', 'search', search, states.Search);
    anew.next(searching);
    search.next(states.Select);
    finish.next(states.Register);
    return { search: searching, finish: ways('Where to finish', 'finish', finish, states.Fit) };
  }

  /** A job that is waited for; when the execution is stopped, so is the job. CDK's own state knows nothing of shares. */
  private job(id: string, suffix: 'search' | 'finish', about: object): CustomState {
    const state = new CustomState(this, id, {
      stateJson: {
        Type: 'Task',
        Resource: `arn:${Aws.PARTITION}:states:::batch:submitJob.sync`,
        TimeoutSecondsPath: `$.plan.job.${suffix}Seconds`,
        Parameters: {
          'JobName.$': `States.Format('{}-${suffix}', $.run)`,
          'JobQueue.$': '$.plan.job.queue',
          'JobDefinition.$': '$.plan.job.definition',
          'ShareIdentifier.$': '$.plan.job.share',
          'SchedulingPriorityOverride.$': '$.plan.job.priority',
          ...about,
        },
        ResultPath: null,
      },
    });
    // Waits of about 1, 2, 4, 8 and 16 s, spread by full jitter.
    state.addRetry({
      errors: batchTrouble,
      interval: Duration.seconds(1),
      maxAttempts: 5,
      backoffRate: 2,
      jitterStrategy: JitterType.FULL,
    });
    return state;
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

  /** Invokes its stages' functions and no others (CDK alone would add every version and alias of them), and submits jobs. */
  private role(): IRole {
    const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: this.functions.map((each) => each.functionArn) });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: 'Invokes the stages of a run',
      inlinePolicies: {
        invoke: new PolicyDocument({ statements: [invoke] }),
        ...(this.batch && { batch: new PolicyDocument({ statements: this.batchStatements(this.batch) }) }),
      },
    });
    if (this.batch) {
      this.batch.acknowledgeSubmit(role, 'train');
      this.batch.acknowledgeLook(role);
      acknowledgeWildcard(role, this.batch.anyJob, noName);
    }
    return role.withoutPolicyUpdates();
  }

  /** What Step Functions does to wait for a job: https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html */
  private batchStatements(batch: Batch): PolicyStatement[] {
    const allow = (actions: string[], resource: string) => new PolicyStatement({ actions, resources: [resource] });
    const rule = { service: 'events', resource: 'rule', resourceName: 'StepFunctionsGetEventsForBatchJobsRule' };
    return [
      batch.submit('train'),
      batch.stop(),
      allow(['batch:DescribeJobs'], '*'),
      allow(['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], Stack.of(this).formatArn(rule)),
    ];
  }

  private function(id: string, about: Omit<IngotFunctionProps, keyof Surroundings>): IngotFunction {
    const made = new IngotFunction(this, id, { ...this.surroundings, ...about });
    this.functions.push(made);
    return made;
  }
}

const noName = 'A job has its name from Batch when it is submitted; stopping a run stops its jobs.';

/** Retries what trying again can mend; an error of Ingot's own names a cause that stays. */
function withRetries(task: LambdaInvoke): LambdaInvoke {
  // Waits of about 1, 2, 4, 8 and 16 s, spread by full jitter.
  task.addRetry({ errors: lambdaTrouble, interval: Duration.seconds(1), maxAttempts: 5, backoffRate: 2, jitterStrategy: JitterType.FULL });
  // Waits of 1, 2, 4 … 32 s and then of a minute, about 35 minutes in all.
  task.addRetry({ errors: noPlace, interval: Duration.seconds(1), maxAttempts: 40, backoffRate: 2, maxDelay: Duration.minutes(1) });
  task.addRetry({ errors: killed, interval: Duration.seconds(1), maxAttempts: 2, backoffRate: 2 });
  return task;
}
