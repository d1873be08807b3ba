/** How a process handles an uncaught error. */
export interface UncaughtErrorPolicy {
  report(error: unknown, origin: 'uncaughtException' | 'unhandledRejection'): void;
  /** Starts a graceful shutdown of the process. May be called several times. */
  stop(): void;
}

/**
 * Installs the policy of every process: an uncaught exception or an unhandled rejection is reported, and the process
 * shuts down gracefully, because its state can no longer be trusted. The exit code is 1, unless the process was already
 * stopping with another one.
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
