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

/** Whether a larger job takes over where the memory of this one is used up. */
export const mayGrow = (): boolean => process.env[environment.jobMayGrow] !== undefined;

/** Seconds between two checkpoints of a job's fits; the usual where nothing is set. */
export const checkpointSeconds = (): number | undefined => Number(process.env[environment.checkpointSeconds]) || undefined;

/** What the function or the job may use, in bytes. */
export function memoryBytes(): number {
  return Number(process.env[environment.jobMemory] ?? process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 2048) * 2 ** 20;
}

/** MB that cleaning takes beside DuckDB's buffers: the process, and what DuckDB does not count (writers of parquet, lines of files). */
const besideCleaning = 560;
/** MB below which DuckDB cannot read a wide table. */
const leastForReading = 192;

/** What DuckDB may use for its buffers to clean with: half of the memory, as the process itself and the data in flight need the rest. */
export function duckdbMemory(): string {
  const megabytes = memoryBytes() / 2 ** 20;
  return `${Math.floor(Math.max(leastForReading, Math.min(megabytes / 2, megabytes - besideCleaning)))}MB`;
}

/** What DuckDB may use to read with: a quarter of the memory, as what is read goes to the process itself; with less, one thread, as each has row groups of its own. */
export function readingLimits(): { memoryLimit: string; threads?: number } {
  const megabytes = Math.max(leastForReading, memoryBytes() / 2 ** 22);
  return { memoryLimit: `${Math.floor(megabytes)}MB`, ...(megabytes < besideCleaning && { threads: 1 }) };
}

/** Values of a table that are in memory at a time at most; with what is made of them, they take some ten times their own four bytes. */
export function valuesAtATime(): number {
  return Math.min(2 ** 24, Math.floor(memoryBytes() / 128));
}
