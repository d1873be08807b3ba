import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ImportJob } from '#activities/sync/thread-jobs.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { LongestBlock } from '../loop-watch.js';
import { SERVER_HEAP_FLAGS } from '../pod-heap.js';

/** What a child process serves: our API on this database, or a bare route with fixed bytes. */
export type Served =
  | {
      readonly kind: 'api';
      readonly database: DatabaseAccess;
      readonly namespace: string;
      readonly registry: string;
      /** `auth` as in a spec. Default: anonymous access. */
      readonly auth?: object;
    }
  | { readonly kind: 'bare'; readonly answers: Readonly<Record<string, FixedAnswer>> };

/** A response of our API, for a bare route that sends the same. */
export interface FixedAnswer {
  readonly status: number;
  /** The headers, except those that Fastify and Node add. */
  readonly headers: Readonly<Record<string, string>>;
  /** Path of the file with the body. */
  readonly body: string;
}

export type Question = 'usage' | 'watch' | 'longestBlock' | ImportJob;

export interface Usage {
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
}

export interface Started {
  readonly port: number;
  /**
   * Time from the start of loading until the API is ready. `longestBlock` is the longest event-loop block during that
   * time.
   */
  readonly loadMs: number;
  readonly longestBlock: LongestBlock;
}

/** A server in a separate process, so that its cost can be told apart from that of its clients. */
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

  /** Starts watching the event loop. Watching uses one percent of it. */
  watch(): Promise<void> {
    return this.ask('watch');
  }

  /** Returns the longest block since `watch`, and stops watching. */
  longestBlock(): Promise<LongestBlock> {
    return this.ask('longestBlock');
  }

  /** Resolves when everything is committed. Until then, send the process nothing but API requests. */
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
