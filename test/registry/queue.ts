import type { Execution, Executions } from '../../core/registry/runs.ts';
import type { RunRecord } from '../../core/search/plan.ts';

/** Executions as Step Functions keeps them: started once a name, run when the test says so. */
export class Queue implements Executions {
  readonly records: RunRecord[] = [];
  readonly executions = new Map<string, Execution>();

  async start(record: RunRecord): Promise<void> {
    if (this.executions.has(record.run)) return;
    this.executions.set(record.run, { run: record.run, status: 'RUNNING', startedAt: new Date() });
    this.records.push(record);
  }

  async describe(run: string): Promise<Execution | undefined> {
    return this.executions.get(run);
  }

  async list(limit: number): Promise<Execution[]> {
    return [...this.executions.values()].reverse().slice(0, limit);
  }

  async stop(run: string): Promise<void> {
    this.end(run, 'ABORTED');
  }

  end(run: string, status: Execution['status']): void {
    this.executions.set(run, { ...this.executions.get(run)!, status, stoppedAt: new Date() });
  }
}
