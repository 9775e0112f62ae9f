import { environment } from '../../core/names.ts';

/** An environment variable that infra must have set. */
export function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** Milliseconds that a function may take for a piece of work that can be ended early: it is stopped after 15 minutes, whatever it has. */
export const stageMilliseconds = 12 * 60 * 1000;

export const isJob = (): boolean => process.env[environment.jobStage] !== undefined;

/** What the function or the job may use, in bytes. */
export function memoryBytes(): number {
  return Number(process.env[environment.jobMemory] ?? process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 2048) * 2 ** 20;
}

/** What DuckDB may use for its buffers: half of the memory, as the process itself and the data in flight need the rest. */
export function duckdbMemory(): string {
  return `${Math.floor(memoryBytes() / 2 ** 21)}MB`;
}
