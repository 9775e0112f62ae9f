/** Work that is done step by step, so that others have their turn in between, and it may be kept where it is. */

/** How long steps go on before the event loop turns. */
const turnMilliseconds = 20;

/**
 * Goes through steps to their end.
 * @param steps each yields what tells where they are
 * @param onStep gets that, and is waited for
 * @param onTurn called each time that the event loop has turned; where it says yes, nothing more is done
 * @returns what the steps come to; undefined where they were ended
 */
export async function inSteps<T, R>(steps: Generator<() => T, R>, onStep: (state: () => T) => Promise<void>): Promise<R>;
export async function inSteps<T, R>(
  steps: Generator<() => T, R>,
  onStep: (state: () => T) => Promise<void>,
  onTurn: () => boolean,
): Promise<R | undefined>;
export async function inSteps<T, R>(
  steps: Generator<() => T, R>,
  onStep: (state: () => T) => Promise<void>,
  onTurn = () => false,
): Promise<R | undefined> {
  let turn = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await onStep(step.value);
    if (performance.now() - turn < turnMilliseconds) continue;
    await new Promise(setImmediate);
    turn = performance.now();
    if (onTurn()) return undefined;
  }
}

/** The same at once. */
export function atOnce<R>(steps: Generator<unknown, R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
