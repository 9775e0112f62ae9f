/** Step Functions' operations over the state machines of the stack. */
import { randomUUID } from 'node:crypto';
import { type Operations, type Output, page, ServiceError, text } from '../protocol/service.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { type Execution, type HistoryEvent, largestState, type StateMachine } from './state-machine.ts';

export function stateOperations(machines: ReadonlyMap<string, StateMachine>): Operations {
  const machine = (arn: string): StateMachine => {
    const found = machines.get(arn);
    if (!found) throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return found;
  };
  const execution = (input: JsonObject): { machine: StateMachine; execution: Execution } => {
    const arn = text(input, 'executionArn');
    const parts = arn.split(':');
    const owner = machines.get([...parts.slice(0, 5), 'stateMachine', parts[6]].join(':'));
    const found = owner?.get(parts[7] ?? '');
    if (!owner || !found) throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return { machine: owner, execution: found };
  };
  const limit = (input: JsonObject) => input['maxResults'] as number | undefined;
  const token = (input: JsonObject) => input['nextToken'] as string | undefined;

  return {
    ListStateMachines: () => ({
      stateMachines: [...machines.values()].map(({ arn, name, createdAt }) => ({
        stateMachineArn: arn,
        name,
        type: 'STANDARD',
        creationDate: new Date(createdAt),
      })),
    }),
    DescribeStateMachine: (input) => {
      const { arn, name, definition, createdAt } = machine(text(input, 'stateMachineArn'));
      return { stateMachineArn: arn, name, definition, status: 'ACTIVE', type: 'STANDARD', roleArn: '', creationDate: new Date(createdAt) };
    },
    StartExecution: async (input) => {
      const name = (input['name'] as string | undefined) ?? randomUUID();
      if (Buffer.byteLength(String(input['input'] ?? '')) > largestState)
        throw new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: it is larger than ${largestState} bytes.`);
      const started = await machine(text(input, 'stateMachineArn')).start(name, (input['input'] as string | undefined) ?? '{}');
      return { executionArn: started.arn, startDate: new Date(started.startedAt) };
    },
    ListExecutions: (input) => {
      const all = machine(text(input, 'stateMachineArn')).list(input['statusFilter'] as string | undefined);
      const { items, next } = page(all, limit(input), token(input));
      return {
        executions: items.map(({ arn, stateMachineArn, name, status, startedAt, stoppedAt }) => ({
          executionArn: arn,
          stateMachineArn,
          name,
          status,
          startDate: new Date(startedAt),
          ...(stoppedAt && { stopDate: new Date(stoppedAt) }),
        })),
        ...(next && { nextToken: next }),
      };
    },
    DescribeExecution: (input) => {
      const { startedAt, stoppedAt, arn, ...rest } = execution(input).execution;
      return {
        executionArn: arn,
        startDate: new Date(startedAt),
        ...(stoppedAt && { stopDate: new Date(stoppedAt) }),
        ...rest,
        inputDetails: { included: true },
      };
    },
    StopExecution: (input) => {
      const found = execution(input);
      found.machine.stop(found.execution, input['error'] as string | undefined, input['cause'] as string | undefined);
      return { stopDate: new Date(found.execution.stoppedAt ?? Date.now()) };
    },
    GetExecutionHistory: (input) => {
      const found = execution(input);
      const events = found.machine.history(found.execution.name).map(historyEvent);
      if (input['reverseOrder']) events.reverse();
      const { items, next } = page(events, limit(input), token(input));
      return { events: items, ...(next && { nextToken: next }) };
    },
  };
}

/** An event as Step Functions words it: `StateEntered` of a task is `TaskStateEntered`, and so on. */
function historyEvent(event: HistoryEvent, index: number): Output {
  const base = { id: index + 1, previousEventId: index, timestamp: new Date(event.timestamp) };
  const { state } = event;
  const failure = { error: event.Error, cause: typeof event.Cause === 'string' ? event.Cause : JSON.stringify(event.Cause) };
  switch (event.type) {
    case 'ExecutionStarted':
      return { ...base, type: event.type, executionStartedEventDetails: { input: JSON.stringify(event.input) } };
    case 'ExecutionSucceeded':
      return { ...base, type: event.type, executionSucceededEventDetails: { output: JSON.stringify(event.output) } };
    case 'ExecutionFailed':
      return { ...base, type: event.type, executionFailedEventDetails: failure };
    case 'StateEntered':
      return {
        ...base,
        type: `${state!.type}StateEntered`,
        stateEnteredEventDetails: { name: state!.name, input: JSON.stringify(state!.input) },
      };
    case 'StateExited':
      return {
        ...base,
        type: `${state!.type}StateExited`,
        stateExitedEventDetails: { name: state!.name, output: JSON.stringify(state!.output) },
      };
    case 'StateFailed':
      return {
        ...base,
        type: state!.type === 'Task' ? 'TaskFailed' : `${state!.type}StateFailed`,
        taskFailedEventDetails: { resourceType: 'lambda', resource: state!.name, ...failure },
      };
    case 'ExecutionTimeout':
      return { ...base, type: 'ExecutionTimedOut' };
    default:
      return { ...base, type: event.type };
  }
}
