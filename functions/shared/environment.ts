/** An environment variable that infra must have set. */
export function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** What DuckDB may use for its buffers: half of the function's memory, as the process itself and the data in flight need the rest. */
export function duckdbMemory(): string {
  return `${Math.floor(Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 2048) / 2)}MB`;
}
