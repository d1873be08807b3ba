import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { rememberLeader } from './process-group.js';

export interface RunOptions {
  readonly cwd?: string;
  /** Runs it as this user; only root may. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** The whole environment of the child: nothing is inherited. The command is looked for in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Upper bound of standard output, in memory or in `stdoutFile`. Of standard error only the beginning is kept. */
  readonly maxOutputBytes: number;
  /** Standard output goes to this file, which is created or overwritten, and the result's `stdout` stays empty. */
  readonly stdoutFile?: string;
  /** What the child reads from standard input; without it, nothing. */
  readonly input?: string | Uint8Array;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 plus the signal's number when a signal ended it, as shells count. */
  readonly exitCode: number;
}

/** The command did not come to an end of its own; an exit code other than 0 is not such a failure. */
export class RunFailure extends Error {
  readonly kind: 'not-started' | 'timed-out' | 'too-much-output';

  constructor(kind: RunFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunFailure';
    this.kind = kind;
  }
}

/** Enough for every message; a remote end that talks without end must not fill our memory. */
const STDERR_LIMIT = 64 * 1024;

/** A child that ignores SIGTERM for so long is killed. */
const KILL_GRACE_MS = 2_000;

/**
 * Runs one command to its end, never through a shell. On abort, time-out or too much output the child and all its
 * descendants are ended and awaited; then it throws the signal's reason or a `RunFailure`.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    ...options.user,
    env: options.env,
    // A process group of its own, so that what git starts (git-remote-https, ssh) ends with it.
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const stop = stopper(child);
  const abort = () => stop(options.signal.reason);
  options.signal.addEventListener('abort', abort, { once: true });
  const deadline = setTimeout(() => {
    stop(new RunFailure('timed-out', `${command} was stopped after ${options.timeoutMs} ms`));
  }, options.timeoutMs);
  try {
    const ended = exitOf(child, command);
    rememberLeader(child, ended);
    // A child that ends without reading its input is no failure.
    child.stdin?.on('error', () => undefined).end(options.input);
    const output = bounded(child.stdout as Readable, options.maxOutputBytes, () =>
      stop(new RunFailure('too-much-output', `${command} wrote more than ${options.maxOutputBytes} bytes`)),
    );
    const written = options.stdoutFile
      ? pipeline(output, createWriteStream(options.stdoutFile)).catch(stop)
      : buffer(output).catch(stop);
    const [exitCode, stdout, stderr] = await Promise.all([ended, written, beginningOf(child.stderr as Readable)]);
    stop.throwIfStopped();
    return { exitCode, stdout: Buffer.isBuffer(stdout) ? stdout.toString() : '', stderr };
  } finally {
    clearTimeout(deadline);
    stop.settle();
    options.signal.removeEventListener('abort', abort);
  }
}

interface Stopper {
  (cause: unknown): void;
  throwIfStopped(): void;
  /** The child is gone; nothing may be signalled any more. */
  settle(): void;
}

/** Ends the child's whole group, at first politely; the first cause is the one that counts. */
function stopper(child: ChildProcess): Stopper {
  let stopped: { cause: unknown } | undefined;
  let escalation: NodeJS.Timeout | undefined;
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  };
  const killAll = () => {
    kill('SIGKILL');
    // A descendant that left the group may hold the pipes open; nobody waits for it.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  child.once('exit', () => {
    if (stopped) killAll();
  });
  const stop = (cause: unknown) => {
    if (stopped || child.pid === undefined) return;
    stopped = { cause };
    kill('SIGTERM');
    escalation = setTimeout(killAll, child.exitCode === null && child.signalCode === null ? KILL_GRACE_MS : 0);
  };
  return Object.assign(stop, {
    throwIfStopped: () => {
      if (stopped) throw stopped.cause;
    },
    settle: () => clearTimeout(escalation),
  });
}

function exitOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new RunFailure('not-started', `${command} cannot be started: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

async function* bounded(stream: Readable, limit: number, exceeded: () => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) return exceeded();
      yield chunk;
    }
  } catch (error) {
    // Destroyed by the stopper, who knows the cause.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function beginningOf(stream: Readable): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < STDERR_LIMIT) kept.push(chunk.subarray(0, STDERR_LIMIT - bytes));
    bytes += chunk.length;
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return Buffer.concat(kept).toString();
}
