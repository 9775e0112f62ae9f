import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The Python that judges us: `INGOT_PYTHON`, or the project's own `.venv`. */
export const python = process.env['INGOT_PYTHON'] ?? resolve(import.meta.dirname, '../.venv/bin/python');

/** Whether that Python can import all of the packages; tests that need them skip where it cannot. */
export function pythonHas(...packages: string[]): boolean {
  return existsSync(python) && spawnSync(python, ['-c', `import ${packages.join(', ')}`], { stdio: 'ignore' }).status === 0;
}

/** Runs a script, feeding it `input`; throws with its stderr where it fails. */
export function runPython(script: string, input = '', args: string[] = []): string {
  const child = spawnSync(python, ['-c', script, ...args], { input, encoding: 'utf8', maxBuffer: 1 << 30 });
  if (child.status !== 0) throw new Error(`python failed: ${child.stderr}`);
  return child.stdout;
}
