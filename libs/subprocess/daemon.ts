import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from './daemon-process.js';
import type { DaemonCommand, DaemonEnd, DaemonProcess } from './daemon-process.js';
import { forgetDaemon, stopOrphan } from './daemon-record.js';

export interface DaemonOptions extends DaemonCommand {
  /** Asked again and again until it says true; a rejection counts as "not yet". It bounds its own waiting. */
  ready: (pid: number) => Promise<boolean>;
  /** Default one minute. */
  readyTimeoutMs?: number;
  /** Done before each start, restarts too. */
  prepare?: () => Promise<void>;
  /** Whether it is started again when it ends by itself. Default true. */
  restart?: boolean;
  /** Called when it ends by itself, and each time that a restart fails. */
  onExit?: (exit: DaemonExit) => void;
  /** Called when it is ready again. */
  onRestart?: () => void;
  /** Ends a start that is under way, with the signal's reason. Later it has no meaning: `stop()` ends a daemon. */
  signal?: AbortSignal;
}

export interface DaemonExit {
  /** What happened, with the last lines of its log. */
  message: string;
  /** Undefined when it stays down. */
  restartInMs: number | undefined;
}

export interface Daemon {
  /** The process of the moment; another one after a restart, undefined while there is none. */
  readonly pid: number | undefined;
  /** Ends it for good. Safe to call again, and while it is starting again. */
  stop(): Promise<void>;
}

/** The child ended with an exit code of its own before it was ready; one that was killed, or only slow, is another error. */
export class FailedStartError extends Error {
  override readonly name = 'FailedStartError';
}

const READY_TIMEOUT_MS = 60_000;
/** Short at first, longer when it takes long: a server that recovers for minutes writes a line for each refusal. */
const FIRST_PROBE_PAUSE_MS = 20;
const LONGEST_PROBE_PAUSE_MS = 500;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** Who ran for so long does not pay for earlier failures. */
const STEADY_MS = 60_000;

/**
 * Starts a long-running child that this process owns, and returns when it is ready. If a killed run left the same one
 * behind, that is stopped before. When it ends without being told to it is started again, after 1 s to 30 s.
 * Throws when the child ends ({@link FailedStartError} if by itself) or the time-out comes before it is ready; nothing is left running then.
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
    let backoffMs = FIRST_BACKOFF_MS;
    while (current) {
      const since = performance.now();
      let message = `${options.name} ${(await current.ended).how}`;
      if (stopping.signal.aborted) return;
      message += await current.lastWords();
      current = undefined;
      if (performance.now() - since > STEADY_MS) backoffMs = FIRST_BACKOFF_MS;
      while (!current) {
        options.onExit?.({ message, restartInMs: restart ? backoffMs : undefined });
        if (!restart) return;
        await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
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
