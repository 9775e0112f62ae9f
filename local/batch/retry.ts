/** Whether a job gets another attempt: the rules of its retry strategy, the first that matches. */
import type { Attempt } from './job.ts';
import type { RetryStrategy } from './request.ts';

/**
 * @param ended the attempt that failed
 * @param counted how many attempts have counted so far, this one among them
 */
export function retries({ attempts, evaluateOnExit }: RetryStrategy, ended: Attempt, counted: number): boolean {
  if (counted >= attempts) return false;
  const rule = evaluateOnExit.find(
    ({ onStatusReason, onReason, onExitCode }) =>
      matches(onStatusReason, ended.statusReason) &&
      matches(onReason, ended.reason) &&
      matches(onExitCode, ended.exitCode === undefined ? undefined : String(ended.exitCode)),
  );
  // What no rule speaks of is retried.
  return rule?.action !== 'EXIT';
}

/** A star at the end stands for any further text, and alone for any text or none. */
function matches(pattern: string | undefined, text: string | undefined): boolean {
  if (pattern === undefined || pattern === '*') return true;
  if (text === undefined) return false;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
}
