/** Starts one thing; `end` has to cope with its own failures. */
type Launch = <T>(start: (signal: AbortSignal) => Promise<T>, end: (started: T) => Promise<unknown>) => Promise<T>;

/**
 * For things that start side by side and wait for each other: the first that fails has all the others given up at once,
 * as the end of the stack has. The end of each is on the stack from the first moment: what is still starting then is
 * awaited, and ended when it came up all the same.
 */
export function launcher(stack: AsyncDisposableStack, signal: AbortSignal): Launch {
  const over = new AbortController();
  const giveUp = (): void => over.abort(new Error('the start was given up'));
  const until = AbortSignal.any([signal, over.signal]);
  return (start, end) => {
    const starting = start(until);
    const settled = starting.then(
      (value) => ({ value }),
      () => giveUp(),
    );
    stack.defer(async () => {
      giveUp();
      const started = await settled;
      if (started) await end(started.value);
    });
    return starting;
  };
}
