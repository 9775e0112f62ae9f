/** Step Functions state machines, run by aws-local-stepfunctions with our Lambda processes and Batch jobs as its tasks. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  ExecutionAbortedError,
  ExecutionTimeoutError,
  StateMachine as Interpreter,
  type StateMachineDefinition,
} from 'aws-local-stepfunctions';
import { IngotError } from '../../core/errors.ts';
import { complain } from '../complain.ts';
import { RecordDirectory, readJsonLines } from '../home.ts';
import { ServiceError } from '../protocol/service.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import { submitJob } from './batch-task.ts';
import type { InvokeTask } from './task.ts';

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  name: string;
  arn: string;
  stateMachineArn: string;
  status: Status;
  startedAt: number;
  stoppedAt?: number;
  /** JSON, as are the output and the cause. */
  input: string;
  output?: string;
  error?: string;
  cause?: string;
}

/** What GetExecutionHistory is made from: the interpreter's events, one JSON line each. */
export interface HistoryEvent {
  type: string;
  timestamp: number;
  state?: { name: string; type: string; input?: Json; output?: Json };
  Error?: string;
  Cause?: unknown;
  input?: Json;
  output?: Json;
}

export interface StateMachineHooks {
  invoke: InvokeTask;
  /** The status of an execution changed. */
  changed(execution: Execution): void;
  /** A task's resource will be invoked soon. */
  soon(resource: string): void;
}

interface Running {
  abort(): void;
  stopped?: { error?: string; cause?: string };
}

/** How many states ahead of the one that runs functions are started, so that their loading does not add up. */
const statesAhead = 3;

const integrations = ['arn:aws:states:::lambda:invoke', submitJob, `${submitJob}.sync`];

/** setTimeout's longest, where a task has no limit of its own (Step Functions' is 3 years; the interpreter's is 60 s). */
const noTaskLimitSeconds = 2_000_000;

export class StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly definition: string;
  readonly createdAt = Date.now();
  readonly #interpreter: Interpreter;
  readonly #tasks: Map<string, string>;
  readonly #states: Record<string, JsonObject | undefined>;
  readonly #executions: RecordDirectory<Execution>;
  readonly #index = new Map<string, Execution>();
  readonly #histories: string;
  readonly #running = new Map<string, Running>();
  readonly #hooks: StateMachineHooks;
  #closed = false;

  constructor(home: string, name: string, arn: string, definition: string, hooks: StateMachineHooks) {
    this.name = name;
    this.arn = arn;
    this.definition = definition;
    this.#hooks = hooks;
    const parsed = JSON.parse(definition) as JsonObject;
    this.#tasks = prepareTasks(parsed, name);
    this.#states = parsed['States'] as Record<string, JsonObject>;
    this.#interpreter = new Interpreter(parsed as unknown as StateMachineDefinition, { validationOptions: { checkArn: false } });
    const directory = join(home, 'states', name);
    this.#executions = new RecordDirectory(join(directory, 'executions'));
    this.#histories = join(directory, 'history');
    mkdirSync(this.#histories, { recursive: true });
    for (const { id, record } of this.#executions.all()) this.#index.set(id, record);
  }

  /** Starts again, from the beginning, what a former process left running: every stage finds its finished work done. */
  resume(): void {
    for (const execution of this.#index.values()) if (execution.status === 'RUNNING') this.#begin(execution);
  }

  /** Running executions stay on record as running, for the next start. */
  close(): void {
    this.#closed = true;
    for (const running of this.#running.values()) running.abort();
  }

  /**
   * Starts an execution; when this resolves it is on the disk. The same name and input while it runs is the same execution.
   * @throws ServiceError ExecutionAlreadyExists, InvalidName, InvalidExecutionInput
   */
  async start(name: string, input: string): Promise<Execution> {
    if (!/^[^\s\p{Cc}<>{}[\]?*"#%\\^|~`$&,;:/]{1,80}$/u.test(name)) {
      throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    }
    const existing = this.#index.get(name);
    if (existing) {
      if (existing.status === 'RUNNING' && existing.input === input) return existing;
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.arn}'`);
    }
    try {
      JSON.parse(input);
    } catch {
      throw new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${input.slice(0, 100)}'`);
    }
    const arn = `${this.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const execution: Execution = { name, arn, stateMachineArn: this.arn, status: 'RUNNING', startedAt: Date.now(), input };
    this.#index.set(name, execution);
    await this.#executions.put(name, execution);
    this.#begin(execution);
    return execution;
  }

  /** Newest first. */
  list(status?: string): Execution[] {
    return [...this.#index.values()]
      .filter((execution) => !status || execution.status === status)
      .sort((a, b) => b.startedAt - a.startedAt);
  }

  get(name: string): Execution | undefined {
    return this.#index.get(name);
  }

  stop(execution: Execution, error?: string, cause?: string): void {
    const running = this.#running.get(execution.name);
    if (!running) return;
    running.stopped = { ...(error && { error }), ...(cause && { cause }) };
    running.abort();
  }

  history(name: string): HistoryEvent[] {
    return readJsonLines<HistoryEvent>(join(this.#histories, `${name}.jsonl`));
  }

  /** What goes wrong in the keeping of records leaves it running, for the next start. */
  #begin(execution: Execution): void {
    this.#run(execution).catch(complain);
  }

  async #run(execution: Execution): Promise<void> {
    this.#hooks.changed(execution);
    const over = new AbortController();
    const taskResourceLocalHandlers = Object.fromEntries(
      [...this.#tasks].map(([state, resource]) => [
        state,
        async (input: unknown) => {
          const asked = askedOf(input as Json);
          return withinLimit(state, await this.#hooks.invoke(resource, asked, { execution: execution.name, state, signal: over.signal }));
        },
      ]),
    );
    const { abort, result, eventLogs } = this.#interpreter.run(JSON.parse(execution.input), {
      overrides: { taskResourceLocalHandlers: taskResourceLocalHandlers as never },
      context: {
        Execution: { Id: execution.arn, Name: execution.name, StartTime: new Date(execution.startedAt).toISOString() },
        StateMachine: { Id: this.arn, Name: this.name },
      },
    });
    const running: Running = { abort };
    this.#running.set(execution.name, running);
    const recorded = this.#record(execution.name, eventLogs);
    const end = await result.then(
      (output): Partial<Execution> => ({ status: 'SUCCEEDED', output: JSON.stringify(output) }),
      (error: unknown): Partial<Execution> => {
        if (error instanceof ExecutionAbortedError) return { status: 'ABORTED', ...running.stopped };
        if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT' };
        const cause = (error as Error).cause as Error | undefined;
        return { status: 'FAILED', error: cause?.name ?? 'States.Runtime', cause: cause?.message ?? String(error) };
      },
    );
    if (this.#closed) return;
    over.abort();
    await recorded;
    this.#running.delete(execution.name);
    Object.assign(execution, end, { stoppedAt: Date.now() });
    await this.#executions.put(execution.name, execution);
    this.#hooks.changed(execution);
  }

  async #record(name: string, events: AsyncIterable<object>): Promise<void> {
    const path = join(this.#histories, `${name}.jsonl`);
    for await (const event of events as AsyncIterable<HistoryEvent>) {
      if (this.#closed) return;
      appendFileSync(path, `${JSON.stringify(event)}\n`);
      if (event.type === 'StateEntered') this.#prepareAfter(event.state!.name);
    }
  }

  #prepareAfter(name: string): void {
    let state = this.#states[name];
    for (let ahead = 0; ahead < statesAhead && state; ahead++) {
      // Of a choice, what is mostly next: its default.
      state = this.#states[String(state['Next'] ?? state['Default'])];
      for (const resource of state ? prepareTasks({ States: { only: state } }, this.name).values() : []) this.#hooks.soon(resource);
    }
  }

  /** What will be invoked first. */
  prepare(): void {
    const [first] = this.#tasks.values();
    if (first) this.#hooks.soon(first);
  }
}

/** Bytes of what a state hands on: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const largestState = 256 * 1024;

/** @throws what a task fails with whose result is larger */
function withinLimit(state: string, result: Json): Json {
  if (Buffer.byteLength(JSON.stringify(result ?? null)) <= largestState) return result;
  const message = `The state/task '${state}' returned a result with a size exceeding the maximum number of bytes service limit.`;
  throw Object.assign(new Error(message), { name: 'States.DataLimitExceeded' });
}

/** Beside the seconds that it may take: what a task is really asked. */
const asked = 'ingot:asked';

/** AWS looks for a task's `TimeoutSecondsPath` in its state's input, the interpreter in what `Parameters` has made of that: so these take it along. */
function carryTimeout(state: JsonObject): void {
  const path = state['TimeoutSecondsPath'];
  const parameters = state['Parameters'] as JsonObject | undefined;
  if (path === undefined || parameters === undefined || asked in parameters) return;
  state['Parameters'] = { [asked]: parameters, 'seconds.$': path };
  state['TimeoutSecondsPath'] = '$.seconds';
}

function askedOf(input: Json): Json {
  return typeof input === 'object' && input !== null && asked in input ? ((input as JsonObject)[asked] ?? null) : input;
}

/**
 * Notes the resource of every task by its state's name, and gives tasks without a time limit one that the interpreter can count.
 * @throws IngotError InvalidRequest for what the interpreter would silently do otherwise than AWS.
 */
function prepareTasks(definition: JsonObject, where: string, tasks = new Map<string, string>()): Map<string, string> {
  const refuse = (what: string) => {
    throw new IngotError('InvalidRequest', `The laptop cloud cannot run a state machine with ${what}.`, {
      where,
      fix: 'See docs/laptop.md for what it runs.',
    });
  };
  if (definition['QueryLanguage'] === 'JSONata') refuse('QueryLanguage JSONata');
  for (const [name, state] of Object.entries((definition['States'] ?? {}) as Record<string, JsonObject>)) {
    if (state['QueryLanguage'] === 'JSONata') refuse(`QueryLanguage JSONata (state ${name})`);
    if (state['Type'] === 'Task') {
      const resource = String(state['Resource']);
      if (tasks.has(name)) refuse(`two tasks of one name (${name})`);
      if (!/^arn:aws:lambda:/.test(resource) && !integrations.includes(resource)) refuse(`the task resource ${resource} (state ${name})`);
      carryTimeout(state);
      if (state['TimeoutSeconds'] === undefined && state['TimeoutSecondsPath'] === undefined) state['TimeoutSeconds'] = noTaskLimitSeconds;
      tasks.set(name, resource);
    }
    for (const key of ['Iterator', 'ItemProcessor']) {
      const processor = state[key] as JsonObject | undefined;
      if ((processor?.['ProcessorConfig'] as JsonObject | undefined)?.['Mode'] === 'DISTRIBUTED')
        refuse(`a distributed Map (state ${name})`);
      if (processor) prepareTasks(processor, where, tasks);
    }
    for (const branch of (state['Branches'] ?? []) as JsonObject[]) prepareTasks(branch, where, tasks);
  }
  return tasks;
}
