/** What a process does about an error that nothing caught. */
export interface UncaughtErrorPolicy {
  report(error: unknown, origin: 'uncaughtException' | 'unhandledRejection'): void;
  /** Starts to end the process in order; may be called several times. */
  stop(): void;
}

/**
 * The policy of every process: an exception or a rejected promise that nothing caught is reported, and the process ends in
 * order, because its state can no longer be trusted. Its exit code is 1 unless it was ending already with another.
 */
export function endOnUncaughtErrors({ report, stop }: UncaughtErrorPolicy): void {
  for (const origin of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(origin, (error: unknown) => {
      process.exitCode ??= 1;
      try {
        report(error, origin);
      } finally {
        stop();
      }
    });
  }
}
