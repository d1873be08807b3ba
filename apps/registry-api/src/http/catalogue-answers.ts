import type { OutgoingHttpHeader } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Catalogue } from '../catalogue/catalogue.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { negotiateEncoding } from './accept-encoding.js';
import { AnswerMemory } from './answer-memory.js';
import { CatalogueState } from './catalogue-state.js';
import type { Find, HeaderLines, KeptQuery } from './catalogue-state.js';
import { CostlyReads } from './costly-reads.js';
import type { AdmittedBody, PreparedAnswer, SentBody } from './prepared-answer.js';
import { holdUntilClosed } from './response-memory.js';
import { Revalidations } from './revalidations.js';
import { getServedRegistry } from '../request-registry.js';
import { scopeOf } from './served-scope.js';

/**
 * Sends responses of the catalogue, or 304 if the client has the current one. Bypasses Fastify's own sending, because
 * the parts of a response are slices of the catalogue's memory, and joining them costs more than the rest of a request.
 */
@Injectable()
export class CatalogueAnswers {
  /** Keyed weakly, so that a state is garbage collected together with its reader. */
  readonly #states = new WeakMap<CatalogueReader, CatalogueState>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly revalidations: Revalidations,
    private readonly memory: AnswerMemory,
    private readonly costly: CostlyReads,
  ) {}

  /** Sends a response that is cached by its query. */
  sendKept<Query>(request: FastifyRequest, reply: FastifyReply, query: KeptQuery<Query>): void | Promise<void> {
    const state = this.#stateOf(request);
    return this.#send(request, reply, state, state.keptAnswer(request.url, query));
  }

  /** Sends a response that is created faster than it could be cached. */
  send(request: FastifyRequest, reply: FastifyReply, find: Find): void | Promise<void> {
    const state = this.#stateOf(request);
    return this.#send(request, reply, state, state.answer(find));
  }

  #send(
    request: FastifyRequest,
    reply: FastifyReply,
    state: CatalogueState,
    answer: PreparedAnswer,
  ): void | Promise<void> {
    const { 'if-none-match': ifNoneMatch, 'accept-encoding': acceptEncoding } = request.headers;
    const audience = getServedRegistry(request).auth.mode === 'oauth' ? 'caller' : 'everybody';
    const staleSince = this.catalogue.isFresh ? undefined : this.catalogue.staleSince(scopeOf(request));
    const stale = staleSince ? ['x-registry-stale', staleSince.toISOString()] : [];

    const notModified = ifNoneMatch === undefined ? undefined : state.notModified(ifNoneMatch, audience);
    if (notModified) {
      this.revalidations.remember(request, state);
      return write(request, reply, 304, [...notModified, ...stale]);
    }
    const encoding = negotiateEncoding(acceptEncoding);
    const send = (sent: AdmittedBody) => {
      if (sent.release) holdUntilClosed(reply.raw, sent.release, this.memory.memory);
      const lines = [...state.headerLines(audience), ...stale, ...state.contentLines];
      lines.push('etag', state.tag(sent.encoding), 'content-length', sent.bytes);
      if (sent.encoding !== 'identity') lines.push('content-encoding', sent.encoding);
      if (sent.total !== undefined) lines.push('x-total-count', sent.total);
      write(request, reply, 200, lines, sent);
    };
    const work = answer.prepare(encoding);
    if (work) return this.costly.run(reply.raw, work).then(async () => send(await answer.body(encoding)));
    const body = answer.body(encoding);
    return body instanceof Promise ? body.then(send) : send(body);
  }

  #stateOf(request: FastifyRequest): CatalogueState {
    const reader = this.catalogue.reader(scopeOf(request));
    let state = this.#states.get(reader);
    if (!state) this.#states.set(reader, (state = new CatalogueState(reader, this.memory)));
    return state;
  }
}

/** Up to this size, copying a body takes less time than sending it separately from its head. */
const SMALL_BYTES = 4096;

function write(
  { method }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  lines: HeaderLines,
  body?: SentBody,
): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, lines as OutgoingHttpHeader[]);
  if (method === 'HEAD' || !body) {
    raw.end();
  } else if (body.bytes <= SMALL_BYTES) {
    // With one character per byte, as in a head, Node sends both in one write.
    raw.end(body.parts.map((part) => part.toString('latin1')).join(''), 'latin1');
  } else {
    raw.cork();
    for (const part of body.parts) raw.write(part);
    raw.end();
    raw.uncork();
  }
}
