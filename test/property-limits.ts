import fc from 'fast-check';
import { beforeEach } from 'vitest';

/**
 * A property ends before its test is out of time, so that a failure is told with its seed and its counterexample: one that hangs is a
 * counterexample after two fifths of the time, and shrinking stops after four fifths with the smallest found by then.
 */
beforeEach(({ task: { timeout } }) => {
  fc.configureGlobal({ timeout: timeout * 0.4, interruptAfterTimeLimit: timeout * 0.8 });
});
