/** A task of a state machine, as what does it sees it. */
import type { Json } from '../template/intrinsics.ts';

/** Which task of which execution is invoked. */
export interface TaskContext {
  execution: string;
  state: string;
  /** The execution has ended, so that nobody waits for the task any more. */
  signal: AbortSignal;
}

/** What invokes a task's resource; rejects with an error whose name is the error's name. */
export type InvokeTask = (resource: string, input: Json, context: TaskContext) => Promise<Json>;
