import { environment } from '../../core/names.ts';

/** An environment variable that infra must have set. */
export function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** What the function or the job may use, in bytes. */
export function memoryBytes(): number {
  return Number(process.env[environment.jobMemory] ?? process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 2048) * 2 ** 20;
}

/** What DuckDB may use for its buffers. @param share of the memory; by default half, as the process itself and the data in flight need the rest */
export function duckdbMemory(share = 1 / 2): string {
  return `${Math.floor((memoryBytes() * share) / 2 ** 20)}MB`;
}
