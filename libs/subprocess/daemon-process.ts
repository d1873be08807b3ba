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
  /** An absolute path. */
  command: string;
  args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  env?: Readonly<Record<string, string>>;
  uid?: number;
  gid?: number;
  /** Default `/`: another user may not be allowed into ours. */
  cwd?: string;
  /** Gets standard output and standard error, appended. */
  logFile: string;
}

export interface DaemonEnd {
  /** In words that follow its name: `was killed by SIGSEGV`. */
  readonly how: string;
  /** Whether it exited, and was not killed by a signal. */
  readonly byItself: boolean;
}

/** One run of the command. */
export interface DaemonProcess {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<DaemonEnd>;
  /** What it wrote last, and where, ready to follow a message. */
  lastWords(): Promise<string>;
  /** The stop signal, and SIGKILL for the whole group when that does not help in time. Returns when it has ended. */
  end(): Promise<void>;
}

/**
 * The shell waits for a word on its standard input before it becomes the command, with the same pid and start time.
 * We say it when the record is written; killed before, we leave nothing running that the next run does not know.
 */
const GATE = 'read -r go && exec "$@" </dev/null';

/** Starts the command, detached: with a process group of its own, so that Ctrl-C in a terminal reaches only us. */
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
  // Whatever the leader left behind must not meet its successor.
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
      return lines ? `; its last words (${logFile}):\n${lines}` : `; it wrote nothing to ${logFile}`;
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
