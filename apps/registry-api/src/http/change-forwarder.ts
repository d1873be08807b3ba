import { Transform } from 'node:stream';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import { API_LIMITS } from '../limits.js';
import { BodiesBusy } from './body-slots.js';
import { Problem } from './problem.js';

/** Hop-by-hop header fields (RFC 9110, section 7.6.1), and those that the two HTTP libraries set themselves. */
const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** Errors that occur before any byte of the request has been sent. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * A reverse proxy for requests that change something. A read-only server forwards them to the server that syncs, which
 * authenticates the caller again, and returns its response unchanged.
 */
export class ChangeForwarder {
  readonly #pool: Pool | undefined;
  readonly #logger: Logger;
  #inFlight = 0;

  /** `writerUrl` is the origin of the server that syncs. Without it every change is rejected. */
  constructor(writerUrl: string | undefined, logger: Logger) {
    const { inFlight, answerMs } = API_LIMITS.forwarded;
    const timeouts = { connectTimeout: 5_000, headersTimeout: answerMs, bodyTimeout: answerMs };
    this.#pool = writerUrl === undefined ? undefined : new Pool(writerUrl, { connections: inFlight, ...timeouts });
    this.#logger = logger;
  }

  /** Returns whether requests of a route are forwarded. Validations are not, because they change nothing. */
  takes(route: string): boolean {
    return !route.endsWith('/validate');
  }

  /** Forwards a request, whose body has not been read yet, and sends the response. */
  async forward(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const pool = this.#pool;
    if (!pool) throw new Problem(405, 'this server is read-only', { allow: 'GET, HEAD, OPTIONS' });
    if (this.#inFlight >= API_LIMITS.forwarded.inFlight) throw new BodiesBusy();
    this.#inFlight++;
    try {
      const { statusCode, headers, body } = await this.#send(pool, request);
      await reply
        .code(statusCode)
        .headers(withoutConnectionFields(headers))
        .send(Buffer.from(await body.arrayBuffer()));
    } finally {
      this.#inFlight--;
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  async #send(pool: Pool, request: FastifyRequest) {
    const { method, originalUrl: path, raw, id, routeOptions } = request;
    const headers = { ...withoutConnectionFields(raw.headers), 'x-request-id': id };
    const body = hasBody(raw.headers) ? limited(raw, routeOptions.bodyLimit) : null;
    try {
      return await pool.request({ method: method as 'POST', path, headers, body });
    } catch (error) {
      if (error instanceof Problem) throw error;
      const { code = '' } = error as NodeJS.ErrnoException;
      this.#logger.warn({ err: error, method }, 'cannot forward a request to the server that syncs');
      if (NOT_SENT.has(code)) throw writerAway();
      throw new Problem(
        502,
        'the server that syncs did not respond, so it is unknown whether the change was made; check before you retry',
      );
    }
  }
}

function writerAway(): Problem {
  const message = 'the server that syncs is unreachable, and nothing was changed; retry later';
  return new Problem(503, message, { 'retry-after': '5' });
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Streams a body until it is longer than the route allows. */
function limited(message: IncomingMessage, limit: number): Transform {
  if (Number(message.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  let seen = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > limit) done(tooLarge(limit));
      else done(null, chunk);
    },
  });
  // A pipe does not end when its source is aborted.
  message.once('close', () => message.complete || body.destroy(new Error('the client aborted its request')));
  return message.pipe(body);
}

function tooLarge(limit: number): Problem {
  return new Problem(413, `the body must have at most ${limit} bytes`);
}

/** Removes hop-by-hop fields, including those listed in `Connection`. */
function withoutConnectionFields(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = String(headers.connection ?? '')
    .split(',')
    .map((field) => field.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !OF_ONE_CONNECTION.has(entry[0]) && !named.includes(entry[0]),
    ),
  );
}
