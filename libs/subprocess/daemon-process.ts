import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordDaemon } from './daemon-record.js';
import type { DaemonPlace } from './daemon-record.js';
import { lastLines, rotateLog } from './log-file.js';
import { killGroup, rememberLeader } from './process-group.js';
import { identifyProcess } from './process-identity.js';

export interface DaemonCommand extends DaemonPlace {
  /** Absolute path of the program. */
  command: string;
  args: readonly string[];
  /** The complete environment of the child. Nothing is inherited. */
  env?: Readonly<Record<string, string>>;
  uid?: number;
  gid?: number;
  /** Working directory. The default is `/`, because another user may not have access to that of this process. */
  cwd?: string;
  /** File to which standard output and standard error are appended. */
  logFile: string;
}

export interface DaemonEnd {
  /** Describes how the process ended, as a predicate: `was killed by SIGSEGV`. */
  readonly how: string;
  /** Whether the process exited by itself and was not killed by a signal. */
  readonly byItself: boolean;
}

/** One run of the command. */
export interface DaemonProcess {
  readonly pid: number;
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<DaemonEnd>;
  /** Returns the last lines of the process' log and the path of the log, as a suffix for a message. */
  lastWords(): Promise<string>;
  /**
   * Sends the stop signal. If the process does not exit in time, sends SIGKILL to the whole group. Resolves when the
   * process has ended.
   */
  end(): Promise<void>;
}

/**
 * A shell script that waits for a line on its standard input before it becomes the command, with the same process id
 * and start time. The line is sent after the record has been written. If this process is killed before that, no process
 * remains that the next run does not know.
 */
const GATE = 'read -r go && exec "$@" </dev/null';

/** Starts the command detached, in its own process group, so that Ctrl-C in a terminal reaches only this process. */
export async function startProcess(options: DaemonCommand): Promise<DaemonProcess> {
  const { name, command, args, env = {}, uid, gid, cwd = '/', logFile, recordFile } = options;
  await mkdir(dirname(logFile), { recursive: true });
  await rotateLog(logFile);
  const log = await open(logFile, 'a', 0o600);
  const logStart = (await log.stat()).size;
  const child = spawn('/bin/sh', ['-c', GATE, name, command, ...args], {
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    cwd,
    env,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  const ended = once(child, 'exit').then(
    ([code, signal]: (number | string | null)[]): DaemonEnd =>
      signal
        ? { how: `was killed by ${signal}`, byItself: false }
        : { how: `ended with exit code ${code}`, byItself: true },
    (error: Error): DaemonEnd => ({ how: `cannot be started: ${error.message}`, byItself: false }),
  );
  await log.close();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} ${(await ended).how}`);
  rememberLeader(child, ended);
  // Processes that the leader left behind must not run together with those of its successor.
  void ended.then(() => killGroup(pid));

  try {
    const identity = await identifyProcess(pid);
    if (identity) await recordDaemon(recordFile, identity);
  } catch (error) {
    killGroup(pid);
    await ended;
    throw error;
  }
  child.stdin?.on('error', () => undefined).end('go\n');

  return {
    pid,
    ended,
    lastWords: async () => {
      const lines = await lastLines(logFile, logStart);
      return lines ? `; the last lines of its log (${logFile}):\n${lines}` : `; it wrote nothing to ${logFile}`;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(options.stopSignal);
      const patience = new AbortController();
      const impatience = sleep(options.stopTimeoutMs, undefined, { signal: patience.signal }).then(
        () => killGroup(pid),
        () => undefined,
      );
      await ended;
      patience.abort();
      await impatience;
    },
  };
}
