/** Runs are executions of the state machine; a run's id is its execution's name. */
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Execution, Executions, RunStatus } from '../core/registry/runs.ts';
import type { RunRecord } from '../core/search/plan.ts';

export class StepFunctionsRuns implements Executions {
  private readonly stateMachineArn: string;
  private readonly client: SFNClient;

  constructor(stateMachineArn: string, client: SFNClient = new SFNClient({})) {
    this.stateMachineArn = stateMachineArn;
    this.client = client;
  }

  async start({ run, dataset, revision }: RunRecord): Promise<void> {
    const input = JSON.stringify({ run, dataset, revision });
    try {
      await this.client.send(new StartExecutionCommand({ stateMachineArn: this.stateMachineArn, name: run, input }));
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
  }

  async describe(run: string): Promise<Execution | undefined> {
    try {
      const found = await this.client.send(new DescribeExecutionCommand({ executionArn: this.executionArn(run) }));
      return execution(found);
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw error;
    }
  }

  async list(limit: number): Promise<Execution[]> {
    const found = await this.client.send(new ListExecutionsCommand({ stateMachineArn: this.stateMachineArn, maxResults: limit }));
    return (found.executions ?? []).map(execution);
  }

  async stop(run: string, why: string): Promise<void> {
    try {
      await this.client.send(new StopExecutionCommand({ executionArn: this.executionArn(run), error: 'Cancelled', cause: why }));
    } catch (error) {
      if (!(error instanceof ExecutionDoesNotExist)) throw error;
    }
  }

  private executionArn(run: string): string {
    return `${this.stateMachineArn.replace(':stateMachine:', ':execution:')}:${run}`;
  }
}

function execution(found: {
  name?: string | undefined;
  status?: ExecutionStatus | undefined;
  startDate?: Date | undefined;
  stopDate?: Date | undefined;
}): Execution {
  return {
    run: found.name!,
    // A run that waits to be redriven is under way.
    status: found.status === 'PENDING_REDRIVE' ? 'RUNNING' : (found.status as RunStatus),
    startedAt: found.startDate!,
    ...(found.stopDate && { stoppedAt: found.stopDate }),
  };
}
