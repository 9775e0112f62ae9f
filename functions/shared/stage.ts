/**
 * A stage of a run. Stages are idempotent: each leaves one object, written with `If-None-Match: *`, and where that exists its work is
 * done. So a retried, repeated or raced stage agrees with the first.
 */
import * as z from 'zod/mini';
import { type ErrorBody, IngotError } from '../../core/errors.ts';
import type { Stage } from '../../core/names.ts';
import type { Services } from './services.ts';

export const runEvent = z.object({ run: z.string(), dataset: z.string(), revision: z.string() });
export type RunEvent = z.infer<typeof runEvent>;

/**
 * Parses the event and runs the work. An error keeps its name, which is the type that the state machine sees, and its message becomes
 * the JSON of the error body and the stage: only a name and a text get through Step Functions, and `fail` needs place and mend.
 */
export function stage<E, R>(name: Stage, schema: z.ZodMiniType<E>, work: (event: E, services: Services) => Promise<R>) {
  return async (event: unknown, services: Services): Promise<R> => {
    try {
      return await work(schema.parse(event), services);
    } catch (error) {
      throw new StageError(name, error as Error);
    }
  };
}

/** An error of another stage than the one that tells of it: of a job, whose last words only its objects keep. */
export class JobError extends IngotError {
  readonly stage: Stage;

  constructor({ code, message, where, fix, stage }: ErrorBody & { stage: Stage }) {
    super(code, message, { ...(where !== undefined && { where }), ...(fix !== undefined && { fix }) });
    this.stage = stage;
  }
}

export class StageError extends Error {
  /** The error's body, and the stage that it befell. */
  readonly told: ErrorBody & { stage: Stage };

  constructor(name: Stage, cause: Error) {
    const stage = cause instanceof JobError ? cause.stage : name;
    const body: ErrorBody = cause instanceof IngotError ? cause.toBody() : { code: 'Internal', message: `${cause.name}: ${cause.message}` };
    super(JSON.stringify({ ...body, stage }), { cause });
    this.name = cause.name;
    this.told = { ...body, stage };
  }
}
