import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ImportJob } from '#activities/sync/import-threads.js';
import type { DatabaseAccess } from '#persistence/database.js';
import { SERVER_HEAP_FLAGS } from '../pod-heap.js';

/** What a child process serves: our API on this database, or fixed bytes on a route that does nothing else. */
export type Served =
  | { readonly kind: 'api'; readonly database: DatabaseAccess; readonly namespace: string; readonly registry: string }
  | { readonly kind: 'bare'; readonly answers: Readonly<Record<string, FixedAnswer>> };

/** An answer of our API, for a route that sends the same. */
export interface FixedAnswer {
  readonly status: number;
  /** Without those that Fastify and Node add by themselves. */
  readonly headers: Readonly<Record<string, string>>;
  /** The file with the body. */
  readonly body: string;
}

export interface Usage {
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
  /** The longest that the event loop was held up since the last time it was asked. */
  readonly longestBlockMs: number;
}

export interface Started {
  readonly port: number;
  /** From the start of loading to the first answer, and the longest block meanwhile. */
  readonly loadMs: number;
  readonly longestBlockMs: number;
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

  async usage(): Promise<Usage> {
    this.child.send('usage');
    const [usage] = (await once(this.child, 'message')) as [Usage];
    return usage;
  }

  /** Resolves when everything is committed. Meanwhile nothing else may be asked of the process than its answers. */
  async import(job: ImportJob): Promise<void> {
    this.child.send(job);
    await once(this.child, 'message');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill();
    await gone;
  }
}
