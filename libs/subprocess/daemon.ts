import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '#domain/backoff.js';
import { startProcess } from './daemon-process.js';
import type { DaemonCommand, DaemonEnd, DaemonProcess } from './daemon-process.js';
import { forgetDaemon, stopOrphan } from './daemon-record.js';

export interface DaemonOptions extends DaemonCommand {
  /**
   * Called repeatedly until it returns true. A rejection counts as "not ready yet". It must limit its own waiting time.
   */
  ready: (pid: number) => Promise<boolean>;
  /** The default is one minute. */
  readyTimeoutMs?: number;
  /** Called before each start and restart. */
  prepare?: () => Promise<void>;
  /** Whether the daemon is restarted if it ends by itself. The default is true. */
  restart?: boolean;
  /** Called if the daemon ends by itself, and each time a restart fails. */
  onExit?: (exit: DaemonExit) => void;
  /** Called when the daemon is ready again after a restart. */
  onRestart?: () => void;
  /**
   * Aborts a start that is in progress, with the signal's reason. It has no effect later; use `stop()` to stop a
   * daemon.
   */
  signal?: AbortSignal;
}

export interface DaemonExit {
  /** A description of the exit, with the last lines of the log. */
  message: string;
  /** Time until the restart. Undefined if the daemon is not restarted. */
  restartInMs: number | undefined;
}

export interface Daemon {
  /** Id of the current process. It changes after a restart, and is undefined while there is no process. */
  readonly pid: number | undefined;
  /** Stops the daemon permanently. May be called repeatedly, and during a restart. */
  stop(): Promise<void>;
}

/**
 * Thrown if the child exited with its own exit code before it was ready. A child that was killed or is too slow causes
 * another error.
 */
export class FailedStartError extends Error {
  override readonly name = 'FailedStartError';
}

const READY_TIMEOUT_MS = 60_000;
/**
 * Delays between readiness checks. They are short at first and grow, because a server that recovers for minutes logs a
 * line for each rejected connection.
 */
const FIRST_PROBE_PAUSE_MS = 20;
const LONGEST_PROBE_PAUSE_MS = 500;
/** The delays between restarts of a process that keeps ending. */
const BACKOFF = { firstMs: 1_000, longestMs: 30_000 };
/** After running for this long, the delay before the next restart starts again from the first one. */
const STEADY_MS = 60_000;

/**
 * Starts a long-running child that this process owns, and returns when the child is ready. If a killed run left the
 * same child behind, that child is stopped first. A child that exits later is restarted after 1 s to 30 s, unless
 * `restart` is false.
 *
 * Throws if the child stops or the timeout expires before the child is ready; the error is a {@link FailedStartError}
 * if the child exited by itself. Nothing is left running in these cases.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { signal = new AbortController().signal, restart = true } = options;
  await stopOrphan(options);

  const stopping = new AbortController();
  let current: DaemonProcess | undefined;
  try {
    current = await startReady(options, signal);
  } catch (error) {
    await forgetDaemon(options.recordFile);
    throw error;
  }

  async function supervise(): Promise<void> {
    let failures = 0;
    while (current) {
      const since = performance.now();
      let message = `${options.name} ${(await current.ended).how}`;
      if (stopping.signal.aborted) return;
      message += await current.lastWords();
      current = undefined;
      if (performance.now() - since > STEADY_MS) failures = 0;
      while (!current) {
        const pauseMs = backoffMs(BACKOFF, ++failures);
        options.onExit?.({ message, restartInMs: restart ? pauseMs : undefined });
        if (!restart) return;
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        try {
          current = await startReady(options, stopping.signal);
        } catch (error) {
          if (stopping.signal.aborted) return;
          message = (error as Error).message;
        }
      }
      options.onRestart?.();
    }
  }
  const supervised = supervise();

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping.abort();
    await current?.end();
    await supervised;
    await forgetDaemon(options.recordFile);
  }

  return {
    get pid() {
      return current?.pid;
    },
    stop: () => (stopped ??= stop()),
  };
}

async function startReady(options: DaemonOptions, signal: AbortSignal): Promise<DaemonProcess> {
  signal.throwIfAborted();
  await options.prepare?.();
  const child = await startProcess(options);
  try {
    await awaitReady(options, child, signal);
    return child;
  } catch (error) {
    await child.end();
    throw error;
  }
}

async function awaitReady(options: DaemonOptions, child: DaemonProcess, signal: AbortSignal): Promise<void> {
  const { name, readyTimeoutMs = READY_TIMEOUT_MS } = options;
  const deadline = Date.now() + readyTimeoutMs;
  let end: DaemonEnd | undefined;
  void child.ended.then((how) => (end = how));
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
  const interrupted = Promise.race([child.ended, aborted]);
  try {
    for (let pauseMs = FIRST_PROBE_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.1, LONGEST_PROBE_PAUSE_MS)) {
      signal.throwIfAborted();
      let hindrance = '';
      const probe = options.ready(child.pid).catch((error: Error) => void (hindrance = `: ${error.message}`));
      const ready = (await Promise.race([probe, interrupted])) === true;
      signal.throwIfAborted();
      if (end) throw await earlyEnd(name, end, child);
      if (ready) return;
      if (Date.now() > deadline) {
        const seconds = readyTimeoutMs / 1000;
        throw new Error(`${name} was not ready after ${seconds} s${hindrance}${await child.lastWords()}`);
      }
      await Promise.race([sleep(pauseMs), interrupted]);
    }
  } finally {
    over.abort();
  }
}

async function earlyEnd(name: string, { how, byItself }: DaemonEnd, child: DaemonProcess): Promise<Error> {
  const message = `${name} ${how} before it was ready${await child.lastWords()}`;
  return byItself ? new FailedStartError(message) : new Error(message);
}
