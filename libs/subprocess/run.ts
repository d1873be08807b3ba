import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { measureGroupMemory } from './group-memory.js';
import { rememberLeader } from './process-group.js';
import { findExecutable, limited } from './process-limits.js';
import type { ProcessLimits } from './process-limits.js';

export interface RunOptions {
  readonly cwd?: string;
  /** The user that the command runs as; only root may change it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** The whole environment of the child: nothing is inherited. The command is looked up in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly limits: ProcessLimits;
  /** Upper bound of standard output, in memory or in `stdoutFile`. Only the beginning of standard error is kept. */
  readonly maxOutputBytes: number;
  /** Standard output goes to this file, which is created or overwritten, and the result's `stdout` stays empty. */
  readonly stdoutFile?: string;
  /** What the child reads from standard input; empty when absent. */
  readonly input?: string | Uint8Array;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, or 128 plus the number of the signal that ended the child, as shells count. */
  readonly exitCode: number;
}

/** A command that could not be started or was stopped; an exit code other than 0 is not such a failure. */
export class RunFailure extends Error {
  readonly kind: 'not-started' | 'timed-out' | 'too-much-output' | 'too-much-memory';

  constructor(kind: RunFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunFailure';
    this.kind = kind;
  }
}

/** Bytes of standard error that are kept: enough for every message. */
const STDERR_LIMIT = 64 * 1024;
/** Bytes of standard error after which the command is stopped: a remote host may make it complain forever. */
const MAX_STDERR_BYTES = 4 * 1024 * 1024;

/** Time between SIGTERM and SIGKILL. */
const KILL_GRACE_MS = 2_000;

const MEMORY_CHECK_MS = 100;

/**
 * Runs one command to its end. Its arguments are never interpreted by a shell. On abort, or when the command exceeds a limit,
 * the child and all its descendants are ended and awaited; then it throws the signal's reason or a `RunFailure`.
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
  const memory = watchMemory(child, options.limits.residentBytes, (bytes) =>
    stop(new RunFailure('too-much-memory', `${command} was stopped when it held ${bytes} bytes of memory`)),
  );
  try {
    const ended = exitOf(child, command);
    rememberLeader(child, ended);
    // A child may end without reading its input; that is no failure.
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
    clearInterval(memory);
    stop.settle();
    options.signal.removeEventListener('abort', abort);
  }
}

interface Stopper {
  (cause: unknown): void;
  throwIfStopped(): void;
  /** Called once the child has ended: from then on its process id may belong to another process. */
  settle(): void;
}

/** Ends the child's process group, first with SIGTERM, then with SIGKILL. The first cause is the one that is thrown. */
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
    // A descendant that left the group may hold the pipes open; it is not waited for.
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
    // The stopper destroyed the stream, and throws the cause.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** The second line of defence: catches several processes that are small one by one, and systems without a limit on address space. */
function watchMemory({ pid }: ChildProcess, limit: number, exceeded: (bytes: number) => void): NodeJS.Timeout {
  const check = async () => {
    const bytes = pid === undefined ? 0 : await measureGroupMemory(pid);
    if (bytes > limit) exceeded(bytes);
  };
  return setInterval(() => void check().catch(() => undefined), MEMORY_CHECK_MS);
}

/** Returns the first bytes of a stream, which is read to its end so that the writer is not blocked. */
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
