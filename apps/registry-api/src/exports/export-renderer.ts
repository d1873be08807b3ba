import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { projectRoot } from '#environment/project-root.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Composition } from '#read-model/answer.js';
import type { ListFilter } from '#read-model/cursor.js';
import { READ_MODEL_LIMITS } from '#read-model/limits.js';
import { ThreadPool } from '#subprocess/thread-pool.js';
import type { ByteBudget } from '../byte-budget.js';
import { COPIES_OF_FETCHED } from '../http/prepared-answer.js';
import { API_LIMITS } from '../limits.js';
import { memoryShareMiB } from '../memory-share.js';
import type { PartRequest, RenderList, RenderOutcome, RenderPart, RenderRequest, RenderTask } from './render-task.js';

const THREAD = new URL('dist/apps/registry-api/src/exports/render.thread.js', projectRoot);
/** Maximum entries of one part. Composing and copying that many takes a millisecond or two. */
const PART_ENTRIES = 500;
/** Maximum names of one part. */
const PART_NAMES = 5000;
const MIB = 1024 * 1024;

/** An export to be rendered. */
export type ExportRequest = Omit<RenderRequest, 'deniedLists' | 'maxEntrySize' | 'maxTotalSize'>;

export interface RendererOptions {
  /** The compiled module of the thread. */
  readonly entry?: URL;
  /** Maximum heap of the thread in MiB. */
  readonly memoryMiB?: number;
  readonly deadlineMs?: number;
}

/** The entries of an export, as far as the caller may see them. */
export interface RenderInput {
  readonly reader: CatalogueReader;
  /** The parameters that select servers of the reader by their indexed properties. */
  readonly selection: Pick<ListFilter, 'tags' | 'status'>;
  /** The lists to deny; undefined if no deny rules were requested. */
  readonly denied: readonly CatalogueReader[] | undefined;
}

/**
 * Renders exports in a thread, so that requests are served in the meantime: a large view takes seconds and much memory.
 * The thread requests the entries page by page and keeps only those to export, so that neither this process nor the
 * thread ever holds more than one page of the others.
 */
export class ExportRenderer implements AsyncDisposable {
  readonly #threads: ThreadPool<RenderTask, RenderOutcome>;
  readonly #closing = new AbortController();
  readonly #limits: Pick<RenderRequest, 'maxEntrySize' | 'maxTotalSize'>;

  constructor(
    private readonly memory: ByteBudget,
    { entry = THREAD, memoryMiB = defaultMemoryMiB(), deadlineMs = API_LIMITS.exportDeadlineMs }: RendererOptions = {},
  ) {
    this.#threads = new ThreadPool({ threads: 1, memoryMiB, deadlineMs }, entry);
    this.#limits = {
      maxEntrySize: API_LIMITS.exportedEntryBytes,
      maxTotalSize: memoryMiB * MIB * API_LIMITS.exportedShare,
    };
  }

  /** Renders an export. Throws `Overloaded`, the errors of reading the entries, and those of `ThreadPool.run`. */
  async render(request: ExportRequest, input: RenderInput): Promise<RenderOutcome> {
    const release = this.memory.acquire(request.maxBytes + READ_MODEL_LIMITS.pageBytes);
    const { port1: feeder, port2: parts } = new MessageChannel();
    const begun = once(feeder, 'message');
    const responses = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const respond = (part: RenderPart, transferList: ArrayBuffer[] = []) => {
      feeder.postMessage(part, transferList);
      Atomics.add(responses, 0, 1);
      Atomics.notify(responses, 0);
    };
    feeder.on('message', (asked: PartRequest) => {
      this.#read(asked, input).then(
        (part) => respond(part, part.kind === 'page' ? [part.page.buffer] : []),
        (error: unknown) => {
          reject(error);
          respond({ kind: 'failed' });
        },
      );
    });
    try {
      const { signal } = this.#closing;
      const task = { request: this.#complete(request, input), parts, responses };
      const running = this.#threads.run(task, { signal, transferList: [parts], begun });
      return await Promise.race([running, failed]);
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

  #complete(request: ExportRequest, { denied }: RenderInput): RenderRequest {
    return { ...request, ...this.#limits, ...(denied && { deniedLists: denied.length }) };
  }

  async #read(asked: PartRequest, input: RenderInput): Promise<Exclude<RenderPart, { kind: 'failed' }>> {
    const { reader, filter } = listOf(asked.list, input);
    if (asked.kind === 'names') {
      const names = Iterator.from(reader.names(filter)).drop(asked.from).take(PART_NAMES).toArray();
      return { kind: 'names', names, isLast: names.length < PART_NAMES };
    }
    const { after } = asked;
    const composition = reader.list({ filter, limit: PART_ENTRIES, ...(after && { after }) }).compose();
    return { kind: 'page', page: await this.#copy(composition), next: composition.next };
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

function defaultMemoryMiB(): number {
  const { share, ...bounds } = API_LIMITS.exportMemory;
  return memoryShareMiB(share, bounds);
}

function listOf(
  list: RenderList,
  { reader, selection, denied }: RenderInput,
): { readonly reader: CatalogueReader; readonly filter: ListFilter } {
  if (typeof list === 'object') {
    return { reader: denied?.[list.denied] as CatalogueReader, filter: { version: 'latest' } };
  }
  return { reader, filter: { version: 'latest', ...(list === 'selected' && selection) } };
}
