import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';
import { startDaemon } from '#subprocess/daemon.js';
import type { Daemon } from '#subprocess/daemon.js';
import { findLibFaketime, SteppedClock } from './clock.js';

const MAIN = fileURLToPath(new URL('dist/apps/main.js', projectRoot));
const IMAGE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', NODE_ENV: 'production' };
/** A long timeout, because a frozen or starved process must not count as failed. */
const READY_TIMEOUT_MS = 10 * 60_000;

export interface ProcessSetup {
  readonly name: string;
  /** The folder for the log, record and clock of the process. */
  readonly directory: string;
  readonly flags: readonly string[];
  /** The command of the program and its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** URL of the liveness probe. */
  readonly healthUrl: string;
  /** Whether the process may exit with this message because of the injected faults. */
  readonly mayEnd?: (message: string) => boolean;
}

/** A process of the product that is restarted when it exits, as a kubelet restarts a container. */
export class SupervisedProcess implements AsyncDisposable {
  /** Messages of unexpected exits. Each is a bug of the product. */
  readonly deaths: string[] = [];
  #expectedKills = 0;
  #daemon: Daemon | undefined;
  /** The pids of the process across restarts. */
  readonly #pids = new Set<number>();

  private constructor(
    readonly name: string,
    readonly clock: SteppedClock | undefined,
    private readonly mayEnd: ProcessSetup['mayEnd'],
  ) {}

  static async start(setup: ProcessSetup): Promise<SupervisedProcess> {
    const { name, directory, flags, args, env, healthUrl } = setup;
    const library = findLibFaketime();
    const clock = library === undefined ? undefined : await SteppedClock.create(library, join(directory, 'clock'));
    const supervised = new SupervisedProcess(name, clock, setup.mayEnd);
    supervised.#daemon = await startDaemon({
      name,
      command: process.execPath,
      args: [...flags, MAIN, ...args],
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', ...IMAGE_ENVIRONMENT, ...clock?.env, ...env },
      recordFile: join(directory, 'process.json'),
      logFile: join(directory, 'log'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 60_000,
      readyTimeoutMs: READY_TIMEOUT_MS,
      async ready(pid) {
        supervised.#pids.add(pid);
        return (await fetch(healthUrl, { signal: AbortSignal.timeout(5_000) })).ok;
      },
      onExit: ({ message }) => supervised.#onExit(message),
    });
    return supervised;
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  /** Sends `kill -9`. Does nothing while the process is being restarted. */
  kill(): void {
    if (this.pid === undefined) return;
    this.#expectedKills += 1;
    process.kill(this.pid, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.stop();
    await this.clock?.removeLeftovers(this.#pids);
  }

  #onExit(message: string): void {
    if (this.#expectedKills > 0 && message.includes('was killed by SIGKILL')) this.#expectedKills -= 1;
    else if (this.mayEnd?.(message) !== true) this.deaths.push(message);
  }
}

/** Returns the pid in the record file of a daemon; undefined if there is no record file. */
export async function recordedPid(recordFile: string): Promise<number | undefined> {
  const text = await readFile(recordFile, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { child: { pid: number } }).child.pid;
}

/** Suspends processes (SIGSTOP) for a time, to simulate a starved or paused machine. */
export async function freeze(pids: readonly number[], ms: number): Promise<void> {
  for (const pid of pids) send(pid, 'SIGSTOP');
  await sleep(ms);
  for (const pid of pids) send(pid, 'SIGCONT');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has exited in the meantime.
  }
}
