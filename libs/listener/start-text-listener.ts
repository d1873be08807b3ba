import fastify from 'fastify';
import type { FastifyError } from 'fastify';
import { toErrorAnswer } from './error-answer.js';
import { fastifyOptions } from './fastify-options.js';
import { listen } from './listen.js';
import type { Listener } from './listen.js';
import type { HardenedServerOptions } from './hardened-server.js';
import type { WantedAddress } from './listen-fault.js';

/** The response of a path of a text listener. */
export interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** The part of a request that responses depend on. */
export interface TextRequest {
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
}

export interface TextListenerOptions extends WantedAddress {
  /** The handlers by path. */
  readonly answers: Readonly<Record<string, (request: TextRequest) => TextAnswer | Promise<TextAnswer>>>;
  readonly logger: HardenedServerOptions['logger'];
}

const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Starts a listener that serves a few texts, such as probes and metrics, for GET and HEAD. */
export async function startTextListener({ answers, logger, ...address }: TextListenerOptions): Promise<Listener> {
  const server = fastify(fastifyOptions({ commonHeaders: COMMON_HEADERS, logger }));
  server.setNotFoundHandler((_request, reply) => {
    const { status, headers, body } = toErrorAnswer(404, 'nothing is served at this path', COMMON_HEADERS);
    return reply.code(status).headers(headers).send(body);
  });
  server.setErrorHandler((error: FastifyError, { method, routeOptions }, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 500) logger.error({ err: error, method, path: routeOptions.url }, 'request failed');
    const message = statusCode >= 500 ? 'internal error; see the log of the server' : 'the request is malformed';
    const { status, headers, body } = toErrorAnswer(statusCode, message, COMMON_HEADERS);
    return reply.code(status).headers(headers).send(body);
  });
  for (const [path, answer] of Object.entries(answers)) {
    server.get(path, async ({ headers }, reply) => {
      const { status, text } = await answer({ authorization: headers.authorization });
      return reply
        .code(status)
        .headers({ ...COMMON_HEADERS, ...(status === 401 && { 'www-authenticate': 'Bearer' }) })
        .headers({ 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
        .send(text);
    });
  }
  return listen(server as unknown as Parameters<typeof listen>[0], address);
}
