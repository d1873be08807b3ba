import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../apps/main.js', import.meta.url));

/** The product as started by `npm start`, with its own folder. */
export class StandaloneProcess implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(manifest: string, environment: Readonly<Record<string, string>>): Promise<StandaloneProcess> {
    const child = spawn(process.execPath, [MAIN, 'standalone', manifest], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: '0', INTERNAL_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(child.stdout as Readable)) {
      const url = /^ready (\S+)/.exec(line)?.[1];
      if (url === undefined) continue;
      (child.stdout as Readable).resume();
      return new StandaloneProcess(url, child);
    }
    throw new Error('the standalone process ended before it was ready');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await gone;
  }
}
