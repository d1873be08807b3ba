/** Starts one part. `end` stops it and must handle its own errors. */
type Launch = <T>(start: (signal: AbortSignal) => Promise<T>, end: (started: T) => Promise<unknown>) => Promise<T>;

/**
 * Returns a function that starts parts concurrently, which may wait for each other. The first failure aborts the start
 * of all others, as does the disposal of the stack. Each part is on the stack from the beginning: if it is still
 * starting at disposal, its start is awaited, and the part is stopped if it started anyway.
 */
export function launcher(stack: AsyncDisposableStack, signal: AbortSignal): Launch {
  const over = new AbortController();
  const giveUp = (): void => over.abort(new Error('the start was aborted'));
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
