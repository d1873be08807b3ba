import type { Worker } from '@temporalio/worker';

/** A worker at work, with one way to end it. */
export interface RunningWorker {
  /** Rejects when the worker dies by itself; resolves after {@link stop}. */
  readonly ended: Promise<void>;
  /** Takes no new tasks, lets running ones end within their grace, and resolves when the worker is down. */
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
