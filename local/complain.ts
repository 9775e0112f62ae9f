import { inspect } from 'node:util';

/** Tells of a defect on standard error, and goes on. */
export function complain(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`);
}
