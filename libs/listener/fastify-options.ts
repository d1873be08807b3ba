import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { FastifyError, FastifyHttpOptions, FastifyReply } from 'fastify';
import { toErrorAnswer } from './error-answer.js';
import { createHardenedServer } from './hardened-server.js';
import type { HardenedServerOptions } from './hardened-server.js';
import { LISTENER_LIMITS } from './limits.js';
import { requestId } from './request-id.js';

export interface ListenerOptions extends HardenedServerOptions {
  /** Returns the URL that is routed instead of the one in the request. */
  readonly rewriteUrl?: (message: IncomingMessage) => string;
  /** Parses a query string. Must not throw. */
  readonly parseQuery?: (query: string) => object;
}

/** Returns the options of a Fastify server that uses the hardened HTTP server. */
export function fastifyOptions(options: ListenerOptions): FastifyHttpOptions<Server> {
  const { rewriteUrl, parseQuery, commonHeaders } = options;
  return {
    serverFactory: (handler) => createHardenedServer(handler, options),
    // The hardened server handles these errors itself.
    clientErrorHandler: () => undefined,
    bodyLimit: LISTENER_LIMITS.bodyBytes,
    routerOptions: {
      maxParamLength: LISTENER_LIMITS.pathPartLength,
      ...(parseQuery && { querystringParser: parseQuery as (query: string) => Record<string, unknown> }),
    },
    ...(rewriteUrl && { rewriteUrl }),
    genReqId: requestId,
    // While the server closes, requests on open connections are still served. The response says that the connection
    // will be closed.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => answerFrameworkError(error, reply as FastifyReply, commonHeaders),
  };
}

/** Responds to requests that Fastify rejects before it routes them. */
function answerFrameworkError(
  { code, statusCode = 400 }: FastifyError,
  reply: FastifyReply,
  commonHeaders: Readonly<Record<string, string>>,
): void {
  const { status, body, headers } = toErrorAnswer(
    statusCode,
    FRAMEWORK_ERRORS.get(code) ?? `${STATUS_CODES[statusCode]}`,
    { ...commonHeaders, 'x-request-id': reply.request.id },
  );
  void reply.code(status).headers(headers).send(body);
}

const FRAMEWORK_ERRORS: ReadonlyMap<string, string> = new Map([
  ['FST_ERR_BAD_URL', 'the URL is malformed: percent-encoding has to be valid UTF-8'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'a part of the path is too long'],
]);
