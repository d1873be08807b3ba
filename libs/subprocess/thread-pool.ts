import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';

export interface ThreadLimits {
  /** The heap of each thread in MiB. */
  readonly memoryMiB: number;
  readonly deadlineMs: number;
  /** The number of threads; further tasks wait. */
  readonly threads: number;
}

export interface ThreadScope {
  readonly signal: AbortSignal;
  /** Ports and memory that the task takes over. */
  readonly transferList?: Transferable[];
  /** Settles when the task has begun, or never. */
  readonly begun: Promise<unknown>;
}

/** A task was ended at its deadline. */
export class ThreadTooSlow extends Error {}

/** A task was ended because it needed more memory than its thread may have. */
export class ThreadTooBig extends Error {}

/**
 * Objects of a task are mostly short-lived: in less than this, the garbage collector would copy them around all the time,
 * which costs two fifths more; three times of it takes 30 MB more and gains nothing.
 */
const YOUNG_MIB = 32;

/** The flags that the process was started with are for its main heap; they would overrule the limits of the threads. */
const NO_COMMON_SIZES = ['--max-semi-space-size=0', '--initial-old-space-size=0'];

/** A thread that has had nothing to do for this long ends: starting another takes longer than most tasks. */
const IDLE_MS = 60_000;

/**
 * A third of the processor share that others get, where threads have a priority of their own (Linux): requests to the same process go
 * first. While 70,000 entries are imported and 16 clients read, that takes the 99th percentile of their answers from 24 to
 * 16 ms; the import takes a fifth longer.
 */
const NICE = 5;

/**
 * A pool of worker threads with limits on memory and time, so that hostile or huge data can neither stop the event loop of the
 * process nor exhaust its memory. A thread that exceeds a limit is ended, and another takes its place. Dispose of it with its owner.
 */
export class ThreadPool<Task, Outcome> implements AsyncDisposable {
  readonly #pool: Piscina<Task, Outcome>;

  /** `entry`: a compiled module whose default export runs a task. */
  constructor(
    private readonly limits: ThreadLimits,
    entry: URL,
  ) {
    for (const flag of NO_COMMON_SIZES) setFlagsFromString(flag);
    this.#pool = new Piscina({
      filename: fileURLToPath(entry),
      minThreads: 0,
      maxThreads: limits.threads,
      idleTimeout: IDLE_MS,
      niceIncrement: NICE,
      // A thread that waits for a task must be able to end, and to end what it has open.
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

  /** Runs a task. Throws `ThreadTooSlow`, `ThreadTooBig`, the abort reason when `signal` fires, or what the task throws. */
  async run(task: Task, { signal, transferList = [], begun }: ThreadScope): Promise<Outcome> {
    const deadline = AbortSignal.timeout(this.limits.deadlineMs);
    const start = this.#untilBegun(begun);
    try {
      const ended = AbortSignal.any([signal, deadline, start.failed]);
      return await this.#pool.run(task, { transferList, signal: ended });
    } catch (error) {
      if (start.failed.aborted) throw this.#explain(start.failed.reason);
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw new ThreadTooSlow(`took longer than ${this.limits.deadlineMs / 1000} s`);
      throw this.#explain(error);
    } finally {
      start.stop();
    }
  }

  /** Ends all threads. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  /** Fires `failed` when a thread dies before it has begun with the task: the pool would leave the task waiting. */
  #untilBegun(begun: Promise<unknown>): { readonly failed: AbortSignal; stop(): void } {
    const controller = new AbortController();
    const onError = (error: Error): void => controller.abort(error);
    const stop = (): void => void this.#pool.off('error', onError);
    this.#pool.once('error', onError);
    void begun.then(stop, stop);
    return { failed: controller.signal, stop };
  }

  #explain(error: unknown): unknown {
    if ((error as { code?: string }).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return new ThreadTooBig(`needs more than ${this.limits.memoryMiB} MiB of memory`);
  }
}
