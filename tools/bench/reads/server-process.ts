import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ImportJob } from '#activities/sync/thread-jobs.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { LongestBlock } from '../loop-watch.js';
import { SERVER_HEAP_FLAGS } from '../pod-heap.js';

/** The server that a child process runs: our API on this database, or a bare route with fixed bytes. */
export type Served =
  | {
      readonly kind: 'api';
      readonly database: DatabaseAccess;
      readonly namespace: string;
      readonly registry: string;
      /** `auth` as in a spec; open to everybody when absent. */
      readonly auth?: object;
    }
  | { readonly kind: 'bare'; readonly answers: Readonly<Record<string, FixedAnswer>> };

/** An answer of our API, for a route that sends the same. */
export interface FixedAnswer {
  readonly status: number;
  /** Without those that Fastify and Node add by themselves. */
  readonly headers: Readonly<Record<string, string>>;
  /** The file with the body. */
  readonly body: string;
}

export type Question = 'usage' | 'watch' | 'longestBlock' | ImportJob;

export interface Usage {
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
}

export interface Started {
  readonly port: number;
  /** Time from the start of loading to the first answer, and the longest event-loop block meanwhile. */
  readonly loadMs: number;
  readonly longestBlock: LongestBlock;
}

/** A server in a process of its own, so that what it costs can be told from what asking costs. */
export class ServerProcess implements AsyncDisposable {
  private constructor(
    readonly started: Started,
    private readonly child: ChildProcess,
  ) {}

  static async start(served: Served): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL('serve.js', import.meta.url)), {
      execArgv: SERVER_HEAP_FLAGS,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.send(served);
    const [started] = (await once(child, 'message')) as [Started];
    return new ServerProcess(started, child);
  }

  usage(): Promise<Usage> {
    return this.ask('usage');
  }

  /** Watches the event loop from now on, which takes a hundredth of it. */
  watch(): Promise<void> {
    return this.ask('watch');
  }

  /** Since `watch`, which ends. */
  longestBlock(): Promise<LongestBlock> {
    return this.ask('longestBlock');
  }

  /** Resolves when everything is committed. Meanwhile nothing else may be asked of the process than its answers. */
  async import(job: ImportJob): Promise<void> {
    await this.ask(job);
  }

  private async ask<T>(question: Question): Promise<T> {
    this.child.send(question);
    const [answer] = (await once(this.child, 'message')) as [T];
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill();
    await gone;
  }
}
