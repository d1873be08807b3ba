import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PRAGMAS = ['journal_mode=wal', 'synchronous=normal'];
const SETTINGS = ['matching.numTaskqueueReadPartitions=1', 'matching.numTaskqueueWritePartitions=1'];

/**
 * Temporal's dev server. Unlike the one of `npm start`, it listens on all interfaces, because pods must reach it. A
 * test may kill it by the pid in `temporal.pid`; it is then restarted with the same data.
 */
export class TemporalServer implements AsyncDisposable {
  private child: ChildProcess | undefined;
  private stopping = false;

  constructor(
    private readonly binary: string,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static pidFile(directory: string): string {
    return join(directory, 'temporal.pid');
  }

  async start(): Promise<void> {
    const args = ['server', 'start-dev', '--ip', '0.0.0.0', '--port', String(this.port), '--headless'];
    const data = ['--db-filename', join(this.directory, 'temporal.db'), '--log-level', 'error'];
    const pragmas = PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]);
    const settings = SETTINGS.flatMap((setting) => ['--dynamic-config-value', setting]);
    const child = spawn(this.binary, args.concat(data, pragmas, settings), { stdio: 'ignore' });
    this.child = child;
    await writeFile(TemporalServer.pidFile(this.directory), String(child.pid));
    child.once('exit', () => {
      if (!this.stopping) void this.start();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping = true;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
