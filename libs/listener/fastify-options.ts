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
  /** Must not throw. */
  readonly parseQuery?: (query: string) => object;
}

/** The options of a Fastify server on the hardened HTTP stack. */
export function fastifyOptions(options: ListenerOptions): FastifyHttpOptions<Server> {
  const { rewriteUrl, parseQuery, commonHeaders } = options;
  return {
    serverFactory: (handler) => createHardenedServer(handler, options),
    // Answered by the hardened server itself.
    clientErrorHandler: () => undefined,
    bodyLimit: LISTENER_LIMITS.bodyBytes,
    routerOptions: {
      maxParamLength: LISTENER_LIMITS.pathPartLength,
      ...(parseQuery && { querystringParser: parseQuery as (query: string) => Record<string, unknown> }),
    },
    ...(rewriteUrl && { rewriteUrl }),
    genReqId: requestId,
    // Requests on connections that are open already are still answered, and told that the connection ends.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => answerFrameworkError(error, reply as FastifyReply, commonHeaders),
  };
}

/** Answers what Fastify refuses before it routes a request. */
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
