import type { FastifyReply, FastifyRequest } from 'fastify';
import { ByteBudget, Overloaded } from '../byte-budget.js';
import { API_LIMITS } from '../limits.js';
import { BodiesBusy } from './body-slots.js';
import { onceClosed } from './response-memory.js';

/**
 * Admission control for request bodies. Each body is limited by itself, but a client may open thousands of connections,
 * so their total is limited, too. A body that does not fit is refused at once, never queued.
 */
export class BodyMemory {
  readonly #previews = new ByteBudget(API_LIMITS.bodyBytes.previews);
  readonly #reads = new ByteBudget(API_LIMITS.bodyBytes.reads);
  readonly #writes = new ByteBudget(API_LIMITS.bodyBytes.writes);

  /**
   * Reserves the memory for the body of a request until the request is answered or its client has disconnected. Throws
   * `BodiesBusy`.
   */
  take(request: FastifyRequest, reply: FastifyReply): void {
    try {
      onceClosed(reply.raw, this.#budgetOf(request).acquire(bytesOf(request)));
    } catch (error) {
      throw error instanceof Overloaded ? new BodiesBusy() : error;
    }
  }

  #budgetOf({ routeOptions: { config, bodyLimit } }: FastifyRequest): ByteBudget {
    if (!config.readsByPost) return this.#writes;
    return bodyLimit >= API_LIMITS.previewBytes ? this.#previews : this.#reads;
  }
}

/**
 * Returns the declared length of a body, at most the limit of the route. A body without a declared length counts as the
 * limit.
 */
function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const declared = Number(headers['content-length'] ?? (headers['transfer-encoding'] === undefined ? 0 : bodyLimit));
  return Number.isFinite(declared) ? Math.min(Math.max(0, declared), bodyLimit) : bodyLimit;
}
