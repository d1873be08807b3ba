import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { RegistryError } from '#domain/registry-error.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import { Overtaken } from '#persistence/source-row.js';
import { ThreadPool, ThreadTooBig, ThreadTooSlow } from '#subprocess/thread-pool.js';
import type { ThreadLimits } from '#subprocess/thread-pool.js';
import { Semaphore } from '#concurrency/semaphore.js';
import type { ThreadError, ThreadJob, ThreadOutcome, ThreadResults } from './thread-jobs.js';

export interface ThreadScope {
  readonly signal: AbortSignal;
  progress(note: string): void;
}

/** Maximum wait for a thread that was asked to stop. */
const ENDED_WITHIN_MS = 5_000;

/**
 * The thread pool for imports. Terminating a thread is always safe, because its transaction rolls back. A job that
 * exceeds a limit is rejected. Dispose of the pool with its owner.
 */
export class ImportThreads implements AsyncDisposable {
  readonly #pool: ThreadPool<{ job: ThreadJob; progress: MessagePort }, ThreadOutcome>;
  /**
   * Limits the jobs before they enter the pool's own queue, so that the deadline of a job starts when the job starts.
   */
  readonly #turns: Semaphore;

  constructor(
    private readonly limits: ThreadLimits,
    entry = new URL('./import.thread.js', import.meta.url),
  ) {
    this.#turns = new Semaphore(limits.threads);
    this.#pool = new ThreadPool(limits, entry);
  }

  /** Number of threads, busy or idle. */
  get size(): number {
    return this.#pool.size;
  }

  /** Starts a thread before the first job arrives. */
  warmUp(): void {
    const scope = { signal: AbortSignal.timeout(this.limits.deadlineMs), progress: () => undefined };
    // Ignore an error here: if a thread cannot start, the first job fails and reports the reason.
    void this.run({ kind: 'warm-up' }, scope).catch(() => undefined);
  }

  /** Runs a job in a thread. Throws a RegistryError, or the abort reason when `signal` fires. */
  async run<Job extends ThreadJob>(job: Job, { signal, progress }: ThreadScope): Promise<ThreadResults[Job['kind']]> {
    using _turn = await this.#turns.acquire(signal);
    const { port1: heard, port2: told } = new MessageChannel();
    const closed = once(heard, 'close');
    const begun = once(heard, 'message');
    heard.on('message', progress);
    heard.unref();
    try {
      const outcome = await this.#pool.run({ job, progress: told }, { transferList: [told], signal, begun });
      heard.close();
      if ('error' in outcome) throw toError(outcome.error);
      return outcome.result as ThreadResults[Job['kind']];
    } catch (error) {
      // The port closes when the thread has stopped. After that, the thread can no longer publish anything.
      await Promise.race([closed, once(AbortSignal.timeout(ENDED_WITHIN_MS), 'abort')]);
      throw explain(error);
    }
  }

  /** Stops all threads; their unfinished work is rolled back. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function toError({ reason, destiny, held, overtaken, message, code }: ThreadError): Error {
  if (held) return new ShrinkRefused(held, message);
  if (overtaken) return new Overtaken(overtaken.source, overtaken.run, overtaken.by);
  return reason ? new RegistryError(reason, message, destiny) : Object.assign(new Error(message), { code });
}

function explain(error: unknown): unknown {
  if (error instanceof ThreadTooSlow) {
    return new RegistryError('InvalidData', `reading the data ${error.message}: reduce its size`);
  }
  return error instanceof ThreadTooBig
    ? new RegistryError('InvalidData', `reading the data ${error.message}: split it`)
    : error;
}
