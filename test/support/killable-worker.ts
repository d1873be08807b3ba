import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestSyncWorkerOptions } from './start-sync-worker.js';

const WORKER = fileURLToPath(new URL('start-sync-worker.ts', import.meta.url));

/** The sync worker in a process that is killed and replaced; the next one is loaded while the present one works. */
export class KillableWorker {
  private spare = launch();
  private current: ChildProcess | undefined;

  constructor(private readonly options: TestSyncWorkerOptions) {}

  /** Puts the next process to work. Its options wait in the pipe until it has loaded everything. */
  start(): void {
    this.current = this.spare;
    this.current.stdin?.write(`${JSON.stringify(this.options)}\n`);
    this.spare = launch();
  }

  /** `kill -9`, and the next one takes over. */
  async replace(): Promise<void> {
    await kill(this.current);
    this.start();
  }

  async stop(): Promise<void> {
    await Promise.all([kill(this.current), kill(this.spare)]);
  }
}

/** Plain Node runs TypeScript without decorators; everything that this file imports is the build. */
function launch(): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORKER], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
