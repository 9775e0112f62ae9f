/** The laptop cloud: the services, and what connects them. start-cloud.ts gives life to a synthesized template on one port. */
import { join } from 'node:path';
import { ApiKeys, type UsagePlan } from './api/keys.ts';
import type { RestApi } from './api/rest-api.ts';
import { Batch, type BatchSettings } from './batch/batch.ts';
import { jobDetail } from './batch/describe.ts';
import { complain } from './complain.ts';
import { concerns, type Notification, s3Record } from './events/notifications.ts';
import { Rules } from './events/rules.ts';
import { authorizeS3, taskRefusal } from './iam/admission.ts';
import { environmentOf, Iam, type Session } from './iam/iam.ts';
import type { Permission } from './iam/permission.ts';
import { AsyncInvocations, type AsyncSettings, defaultAsyncSettings } from './lambda/async-invocations.ts';
import { type FunctionHooks, type FunctionSettings, LambdaFunction, ThrottledError } from './lambda/function.ts';
import type { Outcome } from './lambda/process.ts';
import type { Queue } from './messaging/queue.ts';
import { Topics } from './messaging/topic.ts';
import type { Alarm } from './observe/alarms.ts';
import type { Graph } from './observe/dashboard.ts';
import { Logs } from './observe/logs.ts';
import { Metrics, type Series, takeEmbedded } from './observe/metrics.ts';
import { createS3, type LifecycleRule, type S3, type S3ObjectEvent } from './s3/s3.ts';
import { submitJob, submitJobTask } from './states/batch-task.ts';
import type { Execution, StateMachine } from './states/state-machine.ts';
import type { TaskContext } from './states/task.ts';
import type { Json, JsonObject } from './template/intrinsics.ts';
import { accountId, region } from './template/template.ts';
import { Underway } from './underway.ts';

/** Who wants to see what happens, the terminal for one. */
export interface CloudObserver {
  execution?(execution: Execution): void;
  object?(event: S3ObjectEvent): void;
  /** An event failed in all its attempts. */
  gaveUp?(settings: FunctionSettings, outcome: Outcome): void;
}

const alarmCheckMs = 5_000;
const saveMs = 60_000;
/** S3 itself looks once a day. */
const expireMs = 3600_000;

export class Cloud {
  readonly home: string;
  readonly url: string;
  s3!: S3;
  readonly functions = new Map<string, LambdaFunction>();
  readonly asyncSettings = new Map<string, AsyncSettings>();
  readonly async: AsyncInvocations;
  /** By ARN, as are functions, machines. */
  readonly queues = new Map<string, Queue>();
  readonly topics: Topics;
  readonly machines = new Map<string, StateMachine>();
  readonly batch: Batch;
  readonly rules: Rules;
  readonly apis: RestApi[] = [];
  readonly plans = new Map<string, UsagePlan>();
  readonly keys: ApiKeys;
  readonly iam: Iam;
  /** Who besides its role's services may invoke a function. */
  readonly permissions: Permission[] = [];
  readonly logs: Logs;
  readonly metrics: Metrics;
  readonly alarms = new Map<string, Alarm>();
  /** Of the dashboards. */
  readonly graphs: Graph[] = [];
  readonly notifications: Notification[] = [];
  /** By bucket. */
  readonly lifecycles = new Map<string, LifecycleRule[]>();
  readonly #lambdaSeries = new Map<string, Record<'Invocations' | 'Errors' | 'Duration' | 'Throttles', Series>>();
  readonly #clocks: NodeJS.Timeout[] = [];
  readonly #observer: CloudObserver;
  readonly #underway = new Underway();
  #closing = false;

  private constructor(home: string, url: string, observer: CloudObserver, batch: BatchSettings) {
    this.#observer = observer;
    this.home = home;
    this.url = url;
    this.metrics = new Metrics(home);
    this.logs = new Logs(home, (_, line) => takeEmbedded(line, this.metrics));
    this.keys = new ApiKeys(home);
    this.iam = new Iam(home);
    this.rules = new Rules((arn, text) => this.deliver(arn, text));
    this.batch = new Batch(home, url, batch, {
      credentials: (role, job) => environmentOf(role === undefined ? undefined : this.iam.assume(role, 'ecs-tasks.amazonaws.com', job)),
      output: (group, lines) => this.logs.write(group, lines),
      changed: (job) => {
        // Without what has no value, as JSON has it.
        const detail = JSON.parse(JSON.stringify(jobDetail(job))) as JsonObject;
        this.rules.publish('aws.batch', 'Batch Job State Change', [job.arn], detail);
      },
    });
    this.topics = new Topics(home, (arn, text) => this.deliver(arn, text));
    this.async = new AsyncInvocations(home, {
      find: (arn) => {
        const lambda = this.findFunction(arn);
        return lambda && { lambda, settings: this.asyncSettings.get(lambda.settings.arn) ?? defaultAsyncSettings };
      },
      deliver: (arn, text, attributes) => this.deliver(arn, text, attributes),
      gaveUp: (lambda, outcome) => observer.gaveUp?.(lambda.settings, outcome),
    });
  }

  /** The services, without resources. */
  static async open(home: string, url: string, observer: CloudObserver = {}, batch: BatchSettings = {}): Promise<Cloud> {
    const cloud = new Cloud(home, url, observer, batch);
    cloud.s3 = await createS3({
      root: join(home, 's3'),
      credentials: cloud.iam.secrets,
      strangers: true,
      authorize: (call) => authorizeS3(cloud.iam, call),
      onEvent: (event) => cloud.#take(event),
    });
    return cloud;
  }

  /** Takes up what a former process owed, and starts the clocks. */
  resume(): void {
    for (const event of this.s3.pendingEvents()) this.#take(event);
    this.async.resume();
    this.rules.resume();
    // Before the executions, which ask for the jobs that they had.
    this.batch.resume();
    for (const machine of this.machines.values()) machine.resume();
    // The first who asks the API shall not wait for its functions to load.
    for (const api of this.apis) api.warm();
    const every = (ms: number, act: () => void) => this.#clocks.push(setInterval(act, ms).unref());
    this.#expire();
    every(expireMs, () => this.#expire());
    every(alarmCheckMs, () => this.#checkAlarms());
    every(saveMs, () => {
      this.metrics.save();
      this.keys.save();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const clock of this.#clocks) clearInterval(clock);
    await this.#underway.settled();
    await this.async.close();
    this.rules.close();
    for (const machine of this.machines.values()) machine.close();
    this.batch.close();
    for (const lambda of this.functions.values()) lambda.close();
    for (const api of this.apis) api.close();
    this.logs.close();
    this.metrics.save(Date.now(), true);
    this.keys.save();
    await this.s3.close();
  }

  addFunction(settings: FunctionSettings): void {
    const dimensions = [{ Name: 'FunctionName', Value: settings.name }];
    const series = (name: string, unit: string) => this.metrics.series('AWS/Lambda', name, dimensions, unit);
    this.#lambdaSeries.set(settings.name, {
      Invocations: series('Invocations', 'Count'),
      Errors: series('Errors', 'Count'),
      Duration: series('Duration', 'Milliseconds'),
      Throttles: series('Throttles', 'Count'),
    });
    this.functions.set(settings.arn, new LambdaFunction(settings, this.#functionHooks));
  }

  /** By name, ARN or partial ARN, with or without a version or alias. */
  findFunction(name: string): LambdaFunction | undefined {
    const plain = name.includes('function:') ? name.split('function:')[1]!.split(':')[0]! : name.split(':')[0]!;
    return this.functions.get(`arn:aws:lambda:${region}:${accountId}:function:${plain}`);
  }

  /** Sends a text to whatever the ARN names; when this resolves, it is on the disk. */
  async deliver(arn: string, text: string, attributes: Record<string, string> = {}): Promise<void> {
    const service = arn.split(':')[2];
    const queue = this.queues.get(arn);
    if (queue) {
      const typed = Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]);
      await queue.send(text, Object.fromEntries(typed) as { [key: string]: Json });
    } else if (service === 'lambda') await this.async.enqueue(arn, text);
    else if (service === 'sns') await this.topics.publish(arn, text);
    else throw new Error(`The laptop cloud has nothing at ${arn} that takes a message.`);
  }

  /** @throws what a state machine fails with whose role does not allow a task. */
  allowTask(session: Session, resource: string, input: Json): void {
    const refused = taskRefusal(this.iam, session, resource, input);
    if (refused === undefined) return;
    const [name, service] = resource.startsWith(submitJob)
      ? ['Batch.AWSBatchException', 'AWSBatch']
      : ['Lambda.AWSLambdaException', 'Lambda'];
    throw named(name, `${refused} (Service: ${service}, Status Code: 403, Error Code: AccessDeniedException)`);
  }

  /** The task of a state machine: a job, or a function, whose own error's type becomes the state's. */
  async invokeTask(resource: string, input: Json, context: TaskContext): Promise<Json> {
    if (resource.startsWith(submitJob)) return submitJobTask(this.batch, resource, input, context);
    const wrapped = resource === 'arn:aws:states:::lambda:invoke';
    const { FunctionName, Payload } = (wrapped ? input : {}) as { FunctionName?: string; Payload?: Json };
    const lambda = this.findFunction(wrapped ? FunctionName! : resource);
    if (!lambda) throw named('Lambda.ResourceNotFoundException', `Function not found: ${wrapped ? FunctionName : resource}`);
    const event = JSON.stringify(wrapped ? (Payload ?? {}) : input);
    const outcome = await lambda.invoke(event).catch((error: unknown) => {
      throw error instanceof ThrottledError ? named('Lambda.TooManyRequestsException', error.message) : error;
    });
    const payload = JSON.parse(outcome.payload) as Json;
    if (!outcome.failed) return wrapped ? { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200 } : payload;
    throw named((payload as { errorType?: string }).errorType ?? 'Lambda.Unknown', outcome.payload);
  }

  executionChanged(execution: Execution): void {
    this.#observer.execution?.(execution);
    const outcome = {
      RUNNING: 'ExecutionsStarted',
      SUCCEEDED: 'ExecutionsSucceeded',
      FAILED: 'ExecutionsFailed',
      TIMED_OUT: 'ExecutionsTimedOut',
      ABORTED: 'ExecutionsAborted',
    }[execution.status];
    const dimensions = [{ Name: 'StateMachineArn', Value: execution.stateMachineArn }];
    this.metrics.series('AWS/States', outcome, dimensions, 'Count').add(1, Date.now());
    if (!execution.stoppedAt) return;
    const ms = execution.stoppedAt - execution.startedAt;
    this.metrics.series('AWS/States', 'ExecutionTime', dimensions, 'Milliseconds').add(ms, execution.stoppedAt);
  }

  readonly #functionHooks: FunctionHooks = {
    output: (group, chunk) => this.logs.write(group, chunk),
    invoked: (name, ms, failed) => {
      const { Invocations, Errors, Duration } = this.#lambdaSeries.get(name)!;
      const now = Date.now();
      Invocations.add(1, now);
      Duration.add(ms, now);
      Errors.add(failed ? 1 : 0, now);
    },
    throttled: (name) => this.#lambdaSeries.get(name)!.Throttles.add(1, Date.now()),
  };

  /** What cannot be handed on now (a full disk, say) stays with S3, and is tried again by the next start. */
  #take(event: S3ObjectEvent): void {
    this.#observer.object?.(event);
    if (!this.#closing) this.#underway.add(this.#deliverEvent(event)).catch(complain);
  }

  async #deliverEvent(event: S3ObjectEvent): Promise<void> {
    const matching = this.notifications.filter((notification) => concerns(notification, event));
    if (matching.length > 0) this.#prepare(event.bucket);
    for (const { target, id } of matching) await this.deliver(target, JSON.stringify({ Records: [s3Record(event, id)] }));
    await this.s3.ackEvent(event.id);
  }

  /** What comes after an event in a bucket is, likely, its other functions and a run: they start loading now. */
  #prepare(bucket: string): void {
    for (const notification of this.notifications) if (notification.bucket === bucket) this.findFunction(notification.target)?.warm();
    for (const machine of this.machines.values()) machine.prepare();
  }

  /** Removes what the buckets' lifecycle rules say. */
  #expire(): void {
    const all = async () => {
      for (const [bucket, rules] of this.lifecycles) await this.s3.expire(bucket, rules, Date.now(), () => this.#closing);
    };
    this.#underway.add(all()).catch(complain);
  }

  #checkAlarms(): void {
    const now = Date.now();
    for (const queue of this.queues.values()) {
      const dimensions = [{ Name: 'QueueName', Value: queue.settings.name }];
      this.metrics.series('AWS/SQS', 'ApproximateNumberOfMessagesVisible', dimensions, 'Count').add(queue.count().visible, now);
    }
    for (const alarm of this.alarms.values()) alarm.check(this.metrics, now);
  }
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
