/** Interruptions of spot machines, at moments that a seed decides. */
import { createHash } from 'node:crypto';
import { Random } from '../../core/random.ts';

export interface SpotSettings {
  seed: number;
  /** Interruptions a minute of an attempt's running time, on average; 0 for none. */
  perMinute: number;
}

/**
 * When an attempt is interrupted: exponentially distributed, as the machine does not know how long it has run. The same name, child, attempt
 * and seed give the same moment.
 * @returns milliseconds from its start; infinite where it never is
 */
export function interruptedAfter({ seed, perMinute }: SpotSettings, jobName: string, index: number | undefined, attempt: number): number {
  if (perMinute <= 0) return Number.POSITIVE_INFINITY;
  const hash = createHash('sha256')
    .update(`${seed}\0${jobName}\0${index ?? ''}\0${attempt}`)
    .digest();
  const uniform = new Random(hash.readUInt32LE(0)).uniform();
  return (-Math.log(1 - uniform) / perMinute) * 60_000;
}
