import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { memoryWatch } from './memory-watch.js';
import { rememberLeader } from './process-group.js';
import { findExecutable, limited } from './process-limits.js';
import type { ProcessLimits } from './process-limits.js';

export interface RunOptions {
  readonly cwd?: string;
  /** The user that the command runs as. Only root can change it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** The complete environment of the child. Nothing is inherited. The command is looked up in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly limits: ProcessLimits;
  /**
   * Maximum size of standard output in bytes, in memory or in `stdoutFile`. Of standard error, only the beginning is
   * kept.
   */
  readonly maxOutputBytes: number;
  /** File for standard output, which is created or overwritten. The result's `stdout` is then empty. */
  readonly stdoutFile?: string;
  /** Standard input of the child. Empty if absent. */
  readonly input?: string | Uint8Array;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, or 128 plus the number of the signal that killed the child, as in shells. */
  readonly exitCode: number;
}

/** Thrown if a command could not be started or was stopped. An exit code other than 0 does not throw this error. */
export class RunFailure extends Error {
  readonly kind: 'not-started' | 'timed-out' | 'too-much-output' | 'too-much-memory';

  constructor(kind: RunFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunFailure';
    this.kind = kind;
  }
}

/** Number of bytes of standard error that are kept, which is enough for every message. */
const STDERR_LIMIT = 64 * 1024;
/**
 * Number of bytes of standard error after which the command is stopped, because a remote host may cause endless output.
 */
const MAX_STDERR_BYTES = 4 * 1024 * 1024;

/** Time between SIGTERM and SIGKILL. */
const KILL_GRACE_MS = 2_000;

/**
 * Runs a command until it exits. Its arguments are never interpreted by a shell. On abort, or if the command exceeds a
 * limit, stops the child and all its descendants, waits for them, and then throws the signal's reason or a
 * `RunFailure`.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal.throwIfAborted();
  const executable = await findExecutable(command, options.env['PATH']);
  if (!executable) throw new RunFailure('not-started', `${command} is not installed`);
  const line = limited(executable, args, options.limits, options.timeoutMs);
  const child = spawn(line.command, line.args, {
    cwd: options.cwd,
    ...options.user,
    env: options.env,
    // Its own process group, so that the processes that git starts (git-remote-https, ssh) are stopped together with
    // it.
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const stop = stopper(child);
  const abort = () => stop(options.signal.reason);
  options.signal.addEventListener('abort', abort, { once: true });
  const deadline = setTimeout(() => {
    stop(new RunFailure('timed-out', `${command} was stopped after ${options.timeoutMs} ms`));
  }, options.timeoutMs);
  // Second line of defence: detects several processes that are each small, and works on systems without a limit on
  // address space.
  using _watched =
    child.pid === undefined
      ? undefined
      : memoryWatch.add({
          pid: child.pid,
          residentBytes: options.limits.residentBytes,
          exceeded: (why) => stop(new RunFailure('too-much-memory', `${command} was stopped: ${why}`)),
        });
  try {
    const ended = exitOf(child, command);
    rememberLeader(child, ended);
    // A child may exit without reading its input, which is not an error.
    child.stdin?.on('error', () => undefined).end(options.input);
    const output = bounded(child.stdout as Readable, options.maxOutputBytes, () =>
      stop(new RunFailure('too-much-output', `${command} wrote more than ${options.maxOutputBytes} bytes`)),
    );
    const written = options.stdoutFile
      ? pipeline(output, createWriteStream(options.stdoutFile)).catch(stop)
      : buffer(output).catch(stop);
    const complaints = beginningOf(child.stderr as Readable, () =>
      stop(new RunFailure('too-much-output', `${command} wrote more than ${MAX_STDERR_BYTES} bytes of messages`)),
    );
    const [exitCode, stdout, stderr] = await Promise.all([ended, written, complaints]);
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
  /** Called after the child has ended. From then on, its process id may belong to another process. */
  settle(): void;
}

/** Stops the child's process group, first with SIGTERM, then with SIGKILL. The first cause is thrown. */
function stopper(child: ChildProcess): Stopper {
  let stopped: { cause: unknown } | undefined;
  let escalation: NodeJS.Timeout | undefined;
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // All processes of the group have ended.
    }
  };
  const killAll = () => {
    kill('SIGKILL');
    // A descendant that left the group may keep the pipes open, but there is no need to wait for it.
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
    // The stopper destroyed the stream and throws the cause itself.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Returns the first bytes of a stream. The rest is read too, so that the writer is not blocked. */
async function beginningOf(stream: Readable, exceeded: () => void): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < STDERR_LIMIT) kept.push(chunk.subarray(0, STDERR_LIMIT - bytes));
    bytes += chunk.length;
    if (bytes > MAX_STDERR_BYTES) exceeded();
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return Buffer.concat(kept).toString();
}
