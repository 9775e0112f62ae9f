/** The rivals' Python: `INGOT_BENCH_PYTHON`, or what `npm run bench -- setup` made. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export const bench = import.meta.dirname;

export function benchPython(): string {
  const python = process.env['INGOT_BENCH_PYTHON'] ?? resolve(bench, '.venv/bin/python');
  if (!existsSync(python)) throw new Error(`${python} is not there: run 'npm run bench -- setup' first, or set INGOT_BENCH_PYTHON.`);
  return python;
}

/** The environment for a rival: what would hold its linear algebra back is taken out. */
export function rivalEnvironment(): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...rest } = process.env;
  return rest;
}
