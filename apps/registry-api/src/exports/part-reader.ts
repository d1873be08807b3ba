import { receiveMessageOnPort } from 'node:worker_threads';
import type { ServerDocument } from '#domain/server-document.js';
import type { Cursor } from '#read-model/cursor.js';
import type { PartRequest, RenderList, RenderPart, RenderTask } from './render-task.js';

/** An entry as it is listed, without its short name. */
export interface ListedEntry {
  readonly server: ServerDocument;
  readonly status: 'active' | 'deprecated';
}

/** An entry on a page of the list API. */
interface Listed {
  readonly server: ServerDocument;
  readonly _meta: { readonly 'io.modelcontextprotocol.registry/official': { readonly status: string } };
}

/**
 * Reads the input of a rendering, part by part, from the thread that serves requests. It blocks its own thread while it
 * waits. Formats can therefore iterate over lists that are larger than the memory.
 */
export class PartReader {
  readonly #port: RenderTask['parts'];
  readonly #responses: Int32Array;

  constructor({ parts, responses }: Pick<RenderTask, 'parts' | 'responses'>) {
    this.#port = parts;
    this.#responses = responses;
  }

  *names(list: RenderList): Generator<string> {
    for (let from = 0; ;) {
      const { names, isLast } = this.#read({ kind: 'names', list, from });
      yield* names;
      if (isLast) return;
      from += names.length;
    }
  }

  *entries(list: RenderList): Generator<ListedEntry> {
    let after: Cursor['after'] | undefined;
    do {
      const { page, next } = this.#read({ kind: 'page', list, after });
      yield* entriesOf(page);
      after = next;
    } while (after);
  }

  #read<Kind extends PartRequest['kind']>(request: PartRequest & { kind: Kind }): RenderPart & { kind: Kind } {
    this.#port.postMessage(request);
    for (;;) {
      const seen = Atomics.load(this.#responses, 0);
      const response = receiveMessageOnPort(this.#port) as { readonly message: RenderPart } | undefined;
      if (!response) {
        Atomics.wait(this.#responses, 0, seen);
        continue;
      }
      const { message } = response;
      if (message.kind !== request.kind) throw new Error('the entries could not be read');
      return message as RenderPart & { kind: Kind };
    }
  }
}

/** Yields the entries of a page, and releases each of them, because the results of formats take far more memory. */
function* entriesOf(page: Uint8Array): Generator<ListedEntry> {
  const { servers } = JSON.parse(Buffer.from(page.buffer, page.byteOffset, page.byteLength).toString()) as {
    servers: Listed[];
  };
  for (let listed = servers.shift(); listed; listed = servers.shift()) {
    const { server, _meta } = listed;
    const isDeprecated = _meta['io.modelcontextprotocol.registry/official'].status === 'deprecated';
    yield { server, status: isDeprecated ? 'deprecated' : 'active' };
  }
}
