/**
 * Starts something whose end is on the stack from the first moment: if the stack ends while it is still starting, it is
 * told so, awaited, and ended when it came up all the same. So several things can start side by side and any of them
 * may fail without leaving another behind. `end` has to cope with its own failures.
 */
export function launch<T>(
  stack: AsyncDisposableStack,
  signal: AbortSignal,
  start: (signal: AbortSignal) => Promise<T>,
  end: (started: T) => Promise<unknown>,
): Promise<T> {
  const over = new AbortController();
  const starting = start(AbortSignal.any([signal, over.signal]));
  stack.defer(async () => {
    over.abort(new Error('the start was given up'));
    const started = await starting.then(
      (value) => ({ value }),
      () => undefined,
    );
    if (started) await end(started.value);
  });
  return starting;
}
