import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';
import { POD_HEAP_FLAGS } from '../pod-heap.js';

export interface OperatorUsage {
  readonly peakMiB: number;
  readonly cpuSeconds: number;
}

const AS_IN_THE_IMAGE = { MALLOC_ARENA_MAX: '2', NODE_ENV: 'production' };

/** The operator as shipped, in a separate process. */
export class OperatorProcess implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly healthPort: number,
  ) {}

  static async start(variables: Readonly<Record<string, string>>, healthPort: number): Promise<OperatorProcess> {
    const main = fileURLToPath(new URL('dist/apps/main.js', projectRoot));
    const child = spawn(process.execPath, [...POD_HEAP_FLAGS, main, 'operator'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...AS_IN_THE_IMAGE, ...variables, HEALTH_PORT: String(healthPort), PATH: process.env['PATH'] ?? '' },
    });
    const operator = new OperatorProcess(child, healthPort);
    await operator.ready();
    return operator;
  }

  async usage(): Promise<OperatorUsage> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    const fields = (await readFile(`/proc/${this.child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024, cpuSeconds: ticks / 100 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }

  private async ready(): Promise<void> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the operator ended with exit code ${this.child.exitCode}`);
      const answer = await fetch(`http://127.0.0.1:${this.healthPort}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(100);
    }
  }
}
