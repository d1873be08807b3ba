import type { Worker } from '@temporalio/worker';

/** A running worker and a way to stop it. */
export interface RunningWorker {
  /** Rejects if the worker fails by itself. Resolves after {@link stop}. */
  readonly ended: Promise<void>;
  /**
   * Stops accepting tasks, lets running ones finish within their grace period, and resolves when the worker has
   * stopped.
   */
  stop(): Promise<void>;
}

export function runWorker(worker: Worker): RunningWorker {
  const ended = worker.run();
  return {
    ended,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended.catch(() => undefined);
    },
  };
}
