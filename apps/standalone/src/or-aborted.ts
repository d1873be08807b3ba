/**
 * For what cannot be told to stop: gives its outcome, or throws the signal's reason as soon as that is there. A late
 * outcome is of no interest then, since the process is about to end.
 */
export async function orAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([aborted.promise, awaited]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
