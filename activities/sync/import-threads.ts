import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RegistryError } from '#domain/registry-error.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import { Overtaken } from '#persistence/source-row.js';
import { Semaphore } from '../semaphore.js';
import type { ThreadError, ThreadJob, ThreadOutcome, ThreadResults } from './thread-jobs.js';

export interface ThreadScope {
  readonly signal: AbortSignal;
  progress(note: string): void;
}

export interface ImportLimits {
  /** The heap of each thread in MiB; a job that needs more is refused. */
  readonly memoryMiB: number;
  readonly deadlineMs: number;
  /** The number of threads; further jobs wait. */
  readonly threads: number;
}

/**
 * Entries are short-lived: in less than this, the garbage collector would copy them around all the time, which costs two
 * fifths more; three times of it takes 30 MB more and gains nothing.
 */
const YOUNG_MIB = 32;

/** The flags that the process was started with are for its main heap; they would overrule the limits of the threads. */
const NO_COMMON_SIZES = ['--max-semi-space-size=0', '--initial-old-space-size=0'];

/** A thread that has had nothing to do for this long ends: starting another takes longer than most imports. */
const IDLE_MS = 60_000;

/**
 * A third of the processor share that others get, where threads have a priority of their own (Linux): requests to the same process go
 * first. While 70,000 entries are imported and 16 clients read, that takes the 99th percentile of their answers from 24 to
 * 16 ms; the import takes a fifth longer.
 */
const NICE = 5;

/** How long the end of a thread is waited for that was told to end. */
const ENDED_WITHIN_MS = 5_000;

/**
 * A pool of worker threads for imports, so that a hostile or huge file can stop neither the event loop of the API nor exhaust its
 * memory. Whatever goes wrong in a thread, ending it is enough: its transaction rolls back. Dispose of it with its owner.
 */
export class ImportThreads implements AsyncDisposable {
  readonly #pool: Piscina<{ job: ThreadJob; progress: MessagePort }, ThreadOutcome>;
  /** Before the pool's own queue, so that the deadline of a job starts when the job does. */
  readonly #turns: Semaphore;

  constructor(
    private readonly limits: ImportLimits,
    entry = new URL('./import.thread.js', import.meta.url),
  ) {
    this.#turns = new Semaphore(limits.threads);
    for (const flag of NO_COMMON_SIZES) setFlagsFromString(flag);
    this.#pool = new Piscina({
      filename: fileURLToPath(entry),
      minThreads: 0,
      maxThreads: limits.threads,
      idleTimeout: IDLE_MS,
      niceIncrement: NICE,
      // A thread that waits for a job must be able to end, and to end what it has open.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: limits.memoryMiB, maxYoungGenerationSizeMb: YOUNG_MIB },
      // No flag (a debugger, a loader) and no variable of this process belongs there.
      execArgv: [],
      env: {},
    });
    // A thread that dies while it is idle must not end the process.
    this.#pool.on('error', () => undefined);
  }

  /** Threads that are there, busy or idle. */
  get size(): number {
    return this.#pool.threads.length;
  }

  /** Has a thread ready before the first job comes. */
  warmUp(): void {
    const scope = { signal: AbortSignal.timeout(this.limits.deadlineMs), progress: () => undefined };
    // A thread that cannot start shows that to the first job.
    void this.run({ kind: 'warm-up' }, scope).catch(() => undefined);
  }

  /** Throws a RegistryError, or the abort reason when `signal` fires. */
  async run<Job extends ThreadJob>(job: Job, { signal, progress }: ThreadScope): Promise<ThreadResults[Job['kind']]> {
    using _turn = await this.#turns.acquire(signal);
    const { port1: heard, port2: told } = new MessageChannel();
    const closed = once(heard, 'close');
    const start = this.#untilStarted();
    heard.on('message', (note: string) => {
      start.done();
      progress(note);
    });
    heard.unref();
    const deadline = AbortSignal.timeout(this.limits.deadlineMs);
    try {
      const ended = AbortSignal.any([signal, deadline, start.failed]);
      const outcome = await this.#pool.run({ job, progress: told }, { transferList: [told], signal: ended });
      heard.close();
      if ('error' in outcome) throw toError(outcome.error);
      return outcome.result as ThreadResults[Job['kind']];
    } catch (error) {
      // Its ports close when the thread has ended: nothing of it is published after that.
      await Promise.race([closed, once(AbortSignal.timeout(ENDED_WITHIN_MS), 'abort')]);
      throw this.#explain(start.failed.aborted ? start.failed.reason : error, signal, deadline);
    } finally {
      start.done();
    }
  }

  /** Fires `failed` when a thread dies before it has begun with the job: the pool would leave the job waiting. */
  #untilStarted(): { readonly failed: AbortSignal; done(): void } {
    const controller = new AbortController();
    const onError = (error: Error): void => controller.abort(error);
    this.#pool.once('error', onError);
    return { failed: controller.signal, done: () => void this.#pool.off('error', onError) };
  }

  /** Ends all threads; what they were doing is rolled back. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  #explain(error: unknown, signal: AbortSignal, deadline: AbortSignal): unknown {
    const { memoryMiB, deadlineMs } = this.limits;
    if (error instanceof RegistryError) return error;
    if (signal.aborted) return signal.reason;
    if (deadline.aborted) return tooSlow(deadlineMs);
    return (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooBig(memoryMiB) : error;
  }
}

function toError({ reason, destiny, heldRevision, overtaken, message, code }: ThreadError): Error {
  if (heldRevision !== undefined) return new ShrinkRefused(heldRevision, message);
  if (overtaken) return new Overtaken(overtaken.source, overtaken.run, overtaken.by);
  return reason ? new RegistryError(reason, message, destiny) : Object.assign(new Error(message), { code });
}

function tooSlow(deadlineMs: number): RegistryError {
  return new RegistryError('InvalidData', `reading the data took longer than ${deadlineMs / 1000} s: make it smaller`);
}

function tooBig(memoryMiB: number): RegistryError {
  return new RegistryError('InvalidData', `reading the data needs more than ${memoryMiB} MiB of memory: split it`);
}
