import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { projectRoot } from '#environment/project-root.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Composition } from '#read-model/answer.js';
import type { Cursor, ListFilter } from '#read-model/cursor.js';
import { READ_MODEL_LIMITS } from '#read-model/limits.js';
import { ThreadPool } from '#subprocess/thread-pool.js';
import type { ByteBudget } from '../byte-budget.js';
import { COPIES_OF_FETCHED } from '../http/prepared-answer.js';
import { API_LIMITS } from '../limits.js';
import { memoryShareMiB } from '../memory-share.js';
import type { RenderOutcome, RenderPart, RenderRequest, RenderTask } from './render-task.js';

const THREAD = new URL('dist/apps/registry-api/src/exports/render.thread.js', projectRoot);
/** Maximum entries of one part. Composing and copying that many takes a millisecond or two. */
const PART_ENTRIES = 500;

/** The entries of an export, as far as the caller may see them. */
export interface RenderInput {
  readonly reader: CatalogueReader;
  /** Selects servers that have all of these tags; every server when empty. */
  readonly tags: readonly string[];
  readonly denied: readonly CatalogueReader[];
}

/**
 * Renders exports in a thread, so that requests are served in the meantime: a large view takes seconds and much memory.
 * The entries are sent to the thread page by page, so that this process never holds more than one page and the rendered
 * text.
 */
export class ExportRenderer implements AsyncDisposable {
  readonly #threads: ThreadPool<RenderTask, RenderOutcome>;
  readonly #closing = new AbortController();

  constructor(
    private readonly memory: ByteBudget,
    entry = THREAD,
    deadlineMs: number = API_LIMITS.exportDeadlineMs,
  ) {
    const { share, ...bounds } = API_LIMITS.exportMemory;
    this.#threads = new ThreadPool({ threads: 1, memoryMiB: memoryShareMiB(share, bounds), deadlineMs }, entry);
  }

  /** Renders an export. Throws `Overloaded`, the errors of reading the entries, and those of `ThreadPool.run`. */
  async render(request: RenderRequest, input: RenderInput): Promise<RenderOutcome> {
    const release = this.memory.acquire(request.maxBytes + READ_MODEL_LIMITS.pageBytes);
    const { port1: feeder, port2: parts } = new MessageChannel();
    const begun = once(feeder, 'message');
    const closed = once(feeder, 'close');
    try {
      const { signal } = this.#closing;
      const running = this.#threads.run({ request, parts }, { signal, transferList: [parts], begun });
      // If the thread needs no more parts, it closes its port, and the rest is not read.
      const feeding = Promise.race([closed, this.#feed(feeder, input)]);
      const [outcome] = await Promise.all([running, feeding]);
      return outcome;
    } finally {
      feeder.close();
      release();
    }
  }

  /** Aborts a running rendering. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#threads[Symbol.asyncDispose]();
  }

  async #feed(port: MessagePort, { reader, tags, denied }: RenderInput): Promise<void> {
    const isClosed = once(port, 'close').then(() => true);
    const hand = async (part: RenderPart, bytes?: Uint8Array<ArrayBuffer>) => {
      const taken = once(port, 'message').then(() => false);
      port.postMessage(part, bytes ? [bytes.buffer] : []);
      return Promise.race([isClosed, taken]);
    };
    if (tags.length > 0) {
      for await (const page of this.#pages(reader, { version: 'latest', tags: [...tags] })) {
        if (await hand({ kind: 'tagged', names: namesIn(page) })) return;
      }
    }
    const parts = [{ kind: 'view', of: reader } as const, ...denied.map((of) => ({ kind: 'denied', of }) as const)];
    for (const { kind, of } of parts) {
      for await (const page of this.#pages(of, { version: 'latest' })) {
        if (await hand({ kind, page }, page)) return;
      }
    }
    port.postMessage({ kind: 'end' } satisfies RenderPart);
  }

  /** Yields pages as the list API serves them. Each has its own memory, so that it can be transferred. */
  async *#pages(reader: CatalogueReader, filter: ListFilter): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let after: Cursor['after'] | undefined;
    do {
      const composition = reader.list({ filter, limit: PART_ENTRIES, ...(after && { after }) }).compose();
      yield await this.#copy(composition);
      after = composition.next;
    } while (after);
  }

  async #copy(composition: Composition): Promise<Uint8Array<ArrayBuffer>> {
    const release = this.memory.acquire(composition.fetchedBytes * COPIES_OF_FETCHED);
    try {
      const parts = await composition.body();
      const page = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        page.set(part, at);
        at += part.length;
      }
      return page;
    } finally {
      release();
    }
  }
}

function namesIn(page: Uint8Array<ArrayBuffer>): string[] {
  const { servers } = JSON.parse(Buffer.from(page.buffer).toString()) as { servers: { server: { name: string } }[] };
  return servers.map(({ server }) => server.name);
}
