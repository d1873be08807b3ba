import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestSyncWorkerOptions } from './start-sync-worker.js';

const WORKER = fileURLToPath(new URL('start-sync-worker.ts', import.meta.url));

/** The sync worker in a process that is killed and replaced. The next process is loaded while the current one works. */
export class KillableWorker {
  private spare = launch();
  private current: ChildProcess | undefined;

  constructor(private readonly options: TestSyncWorkerOptions) {}

  /** Starts the next process. Its options wait in the pipe until everything is loaded. */
  start(): void {
    this.current = this.spare;
    this.current.stdin?.write(`${JSON.stringify(this.options)}\n`);
    this.spare = launch();
  }

  /** Sends `kill -9`, and lets the next process take over. */
  async replace(): Promise<void> {
    await kill(this.current);
    this.start();
  }

  async stop(): Promise<void> {
    await Promise.all([kill(this.current), kill(this.spare)]);
  }
}

/**
 * Plain Node can run this TypeScript file because it has no decorators. Everything that it imports comes from the
 * build.
 */
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
