import fc from 'fast-check';
import { beforeEach } from 'vitest';

/** How long a counterexample is made smaller. */
const shrinkMs = 20_000;

fc.installGlobalPlugin(() => {
  let end = Number.POSITIVE_INFINITY;
  const noted = <T extends object | null>(outcome: T): T => {
    if (outcome !== null && 'error' in outcome) end = Math.min(end, performance.now() + shrinkMs);
    return outcome;
  };
  return {
    decorateRun: (run) => (value) => {
      if (performance.now() > end) return new fc.PreconditionFailure(true);
      const outcome = run(value);
      return outcome !== null && 'then' in outcome ? outcome.then(noted) : noted(outcome);
    },
  };
});

/** A property ends before its test is out of time, so that it tells its seed and its counterexample, which one that hangs is too. */
beforeEach(({ task: { timeout } }) => {
  fc.configureGlobal({ timeout: timeout * 0.4, interruptAfterTimeLimit: timeout * 0.8 });
});
