import type { IncomingMessage, ServerResponse } from 'node:http';
import { NotFoundException } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { fastifyOptions } from '#listener/fastify-options.js';
import { listen } from '#listener/listen.js';
import type { Listener } from '#listener/listen.js';
import type { WantedAddress } from '#listener/listen-fault.js';
import type { ByteBudget } from '../byte-budget.js';
import type { RegistryDirectory } from '../served-registry.js';
import type { ServerMetrics } from '../server-metrics.js';
import { refuseOtherMethods } from './accepted-methods.js';
import { refuseOtherTypes } from './accepted-types.js';
import { isDisabledArd } from './ard/ard-route.js';
import type { ChangeForwarder } from './change-forwarder.js';
import { cleanLocation } from './clean-path.js';
import { answerPreflight, COMMON_HEADERS } from './common-headers.js';
import { HOOK_LIMITS } from './hooks/hook-deliveries.js';
import { HOOK_ROUTE } from './hooks/hooks.controller.js';
import { NestLogger } from './nest-logger.js';
import { Problem } from './problem.js';
import { parseQueryString } from './query-string.js';
import { RequestCounter } from './request-counter.js';
import { chargeBody } from './response-memory.js';
import type { Revalidations } from './revalidations.js';
import { scopeToRegistry } from '../request-registry.js';

export interface HttpServerOptions extends WantedAddress {
  readonly module: DynamicModule;
  readonly directory: RegistryDirectory;
  /**
   * Called before a body is read. Rejects with the error response if the caller may not send one. Without it, every caller
   * may.
   */
  readonly mayWrite?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Forwards requests that change something. Without it, this server handles them itself. */
  readonly forwarder?: ChangeForwarder;
  /** Metrics that count the requests. Without it, requests are not counted. */
  readonly metrics?: ServerMetrics;
  /** Responds to known ETags before a request is routed. Without it, every request is routed. */
  readonly revalidations?: Revalidations;
  /** Memory of all responses that are being sent. Without it, responses are not limited. */
  readonly answerMemory?: ByteBudget;
  /** Returns whether this Host header is accepted. Without it, every host is accepted. */
  readonly acceptsHost?: ((host: string | undefined) => boolean) | undefined;
  readonly logger: Logger;
}

/** Starts the server and returns once it is listening. If it throws, nothing is left open. */
export async function startHttpServer(options: HttpServerOptions): Promise<Listener> {
  const { directory, logger, revalidations, metrics } = options;
  const counter = metrics && new RequestCounter(metrics);
  const adapter = new FastifyAdapter({
    ...fastifyOptions({
      commonHeaders: COMMON_HEADERS,
      ...(revalidations && { answerFirst: revalidate(revalidations, counter) }),
      rewriteUrl: (message) => scopeToRegistry(message, directory),
      parseQuery: parseQueryString,
      acceptsHost: options.acceptsHost,
      logger,
    }),
    skipMiddie: true,
  });
  const server = adapter.getInstance();
  lookAtRequests(server, counter);
  lookAtResponses(server, options.answerMemory);
  keepJsonAsBytes(server);
  if (options.mayWrite) lookAtWriters(server, options.mayWrite, options.forwarder);
  const allRoutesAreThere = refuseOtherMethods(server);
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  try {
    await app.init();
    allRoutesAreThere();
    return await listen(server, options);
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Responds to conditional requests before Fastify routes them. */
function revalidate(revalidations: Revalidations, counter: RequestCounter | undefined) {
  return (message: IncomingMessage, response: ServerResponse): boolean => {
    const startedAt = performance.now();
    const route = revalidations.answer(message, response);
    if (route === undefined) return false;
    counter?.count(route, response, startedAt);
    return true;
  };
}

/**
 * Adds a hook that counts requests, responds to OPTIONS, redirects from doubled and trailing slashes to the clean path,
 * and rejects requests that no handler can serve, including those for unknown paths. It is a single hook because each
 * hook adds to the cost of a 304.
 */
function lookAtRequests(server: FastifyInstance, counter: RequestCounter | undefined): void {
  server.addHook('onRequest', (request, reply, done) => {
    counter?.begin(request, reply);
    if (request.method === 'OPTIONS') return answerPreflight(reply);
    const clean = isSafeToRepeat(request) ? cleanLocation(request.url, request.originalUrl) : undefined;
    if (clean !== undefined) void reply.code(308).header('location', clean).send();
    else if (request.is404 || isDisabledArd(request))
      done(refuseOtherTypes(request) ?? notFound(server, request.method));
    else done(refuseOtherTypes(request));
  });
}

/**
 * Adds a hook that adds the common headers to every response and reserves the memory of its body. Responses that bypass
 * Fastify, such as those of the catalogue, do both themselves.
 */
function lookAtResponses(server: FastifyInstance, memory: ByteBudget | undefined): void {
  server.addHook('onSend', (_request, reply, body, done) => {
    reply.headers(COMMON_HEADERS);
    try {
      if (memory) chargeBody(reply.raw, body, memory);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

function isSafeToRepeat({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Rejects callers that may not write before their body is read, so that a rejected request takes no memory. Also
 * forwards changes.
 */
function lookAtWriters(
  server: FastifyInstance,
  mayWrite: NonNullable<HttpServerOptions['mayWrite']>,
  forwarder: ChangeForwarder | undefined,
): void {
  server.addHook('onRoute', (route) => {
    const { readsByPost } = route.config ?? {};
    if (readsByPost) route.bodyLimit = readsByPost.bodyBytes;
    if (route.url === HOOK_ROUTE) route.bodyLimit = HOOK_LIMITS.bodyBytes;
    if ([route.method].flat().every((method) => SAFE_METHODS.has(method))) return;
    const isForwarded = !readsByPost && forwarder?.takes(route.url) === true;
    route.preParsing = async (request, reply) => {
      await mayWrite(request, reply);
      if (isForwarded) return forwarder.forward(request, reply);
      return refuseEncodedBody(request);
    };
  });
}

/**
 * Rejects compressed bodies. Bodies are not decompressed, so a compressed one would be reported as malformed JSON (RFC
 * 9110, section 15.5.16).
 */
function refuseEncodedBody({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return;
  throw new Problem(415, 'the body must not be compressed: send it without Content-Encoding', {
    'accept-encoding': 'identity',
  });
}

/** Safe methods according to RFC 9110, section 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Returns the error for a path that is not found. The router does not know methods that no path supports, so for these
 * it cannot tell whether the path exists.
 */
function notFound(server: FastifyInstance, method: string): Error {
  if (server.supportedMethods.includes(method)) return new NotFoundException();
  return new Problem(501, `the method ${method} is not supported`);
}

/**
 * Returns whether the route accepts any content type: a webhook signature covers the bytes of a delivery, and a spec
 * may be YAML, so the declared type does not matter.
 */
function takesAnyType({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === HOOK_ROUTE || routeOptions.config.readsByPost?.takes === 'any type';
}

/**
 * Keeps JSON bodies as bytes, because a published document must keep its own spelling and order, which parsing would
 * not preserve.
 */
function keepJsonAsBytes(server: FastifyInstance): void {
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // Bodies of other types are dropped here. Handlers that need a body reject the request, after the caller has been
  // authenticated.
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) =>
    done(null, takesAnyType(request) ? body : undefined),
  );
}
