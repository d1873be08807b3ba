import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';

export const MAIN = fileURLToPath(new URL('dist/apps/main.js', projectRoot));

/** Longer than anything here takes. A test that waits in vain fails with the output of the process. */
const PATIENCE_MS = 200_000;

/** Starts a command of the shipped build, or of the build of `main`. An undefined variable is unset. */
export function startShipped(
  args: readonly string[],
  {
    env,
    user,
    main = MAIN,
  }: {
    readonly main?: string | undefined;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly user?: { readonly uid: number; readonly gid: number };
  },
): ShippedProcess {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: fileURLToPath(projectRoot),
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  return new ShippedProcess(child);
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A run of the shipped build. */
export class ShippedProcess {
  stdout = '';
  stderr = '';
  /** Resolves when the process has exited and all its output has been read. */
  readonly exited: Promise<Exit>;
  private exit: Exit | undefined;

  constructor(private readonly child: ChildProcess) {
    (child.stdout as Readable).setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    (child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      this.exit = { code, signal } as Exit;
      return this.exit;
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Resolves when the output matches. Rejects with all output if the process exits or continues without a match. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const { child } = this;
    const over = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      if (this.exit) throw new Error(`ended (${JSON.stringify(this.exit)}) without ${pattern}:\n${this.output}`);
      const more = [child.stdout, child.stderr].map((stream) => once(stream as Readable, 'data', { signal: over }));
      await Promise.race([...more, this.exited]).catch(() => {
        throw new Error(`said nothing like ${pattern}:\n${this.output}`);
      });
    }
  }

  async ready(): Promise<void> {
    await this.said(/^ready http.*$/m);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Sends SIGINT, like Ctrl-C, and waits for the exit. */
  async stop(): Promise<Exit> {
    this.signal('SIGINT');
    return this.exited;
  }

  /** Shuts the process down gracefully, unless it has already exited. */
  async end(): Promise<void> {
    if (!this.exit) this.signal('SIGTERM');
    await this.exited;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }
}
