import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { environment } from './environment.js';

export interface CommandOptions {
  signal: AbortSignal;
  cwd?: string;
  /** Variables that are added to the environment of this process. */
  env?: Record<string, string>;
  timeoutMs?: number;
  /** Called with each line of stderr as it is written. */
  onDiagnostic?: (line: string) => void;
}

const killAfterMs = 3_000;
const rememberedLines = 5;

/**
 * Runs a command until it exits and returns its stdout. The command gets a process group of its own, which is killed as
 * a whole when the signal aborts, so that a compiler leaves no processes behind. Rejects with the last lines of stderr.
 */
export async function runCommand(command: string, args: string[], options: CommandOptions): Promise<string> {
  const timeout = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signal = timeout ? AbortSignal.any([options.signal, timeout]) : options.signal;
  signal.throwIfAborted();

  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...environment(), ...options.env },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });

  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  const lastDiagnostics: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    lastDiagnostics.push(line);
    if (lastDiagnostics.length > rememberedLines) lastDiagnostics.shift();
    options.onDiagnostic?.(line);
  });

  const stop = endGroupOf(child.pid);
  signal.addEventListener('abort', stop.now, { once: true });
  try {
    const code = await ended;
    options.signal.throwIfAborted();
    if (timeout?.aborted) throw new Error(`no response within ${options.timeoutMs! / 1000} s`);
    if (code !== 0) throw new Error(lastDiagnostics.join(' / ').trim() || `ended with code ${code} without a message`);
    return stdout;
  } finally {
    signal.removeEventListener('abort', stop.now);
    stop.cancel();
  }
}

/** Returns functions that send SIGTERM to the whole group and, a little later, SIGKILL to the rest of it. */
function endGroupOf(pid: number | undefined): { now: () => void; cancel: () => void } {
  let later: NodeJS.Timeout | undefined;
  const send = (signal: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The group no longer exists.
    }
  };
  return {
    now() {
      send('SIGTERM');
      later = setTimeout(send, killAfterMs, 'SIGKILL');
    },
    cancel: () => clearTimeout(later),
  };
}
