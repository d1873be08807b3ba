import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { NotFoundException } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RegistryDirectory } from '../served-registry.js';
import type { ServerMetrics } from '../server-metrics.js';
import { refuseOtherMethods } from './accepted-methods.js';
import { refuseOtherTypes } from './accepted-types.js';
import { addCommonHeaders, answerPreflight, COMMON_HEADERS } from './common-headers.js';
import { sendProblem, toProblem } from './error.filter.js';
import { listenFault } from './listen-fault.js';
import type { WantedAddress } from './listen-fault.js';
import { NestLogger } from './nest-logger.js';
import { Problem } from './problem.js';
import { parseQueryString } from './query-string.js';
import { RequestCounter } from './request-counter.js';
import { requestId } from './request-id.js';
import type { Revalidations } from './revalidations.js';
import { scopeToRegistry } from './served-scope.js';

export interface HttpServerOptions extends WantedAddress {
  readonly module: DynamicModule;
  readonly directory: RegistryDirectory;
  /** Asked before a body is read; rejects with what to answer whoever may not send one. Everybody may when absent. */
  readonly mayWrite?: (request: FastifyRequest) => boolean | Promise<boolean>;
  /** Where its requests are counted; nowhere when absent. */
  readonly metrics?: ServerMetrics;
  /** Asked before anything else is done; nobody when absent. */
  readonly revalidations?: Revalidations;
  readonly logger: Logger;
}

export interface HttpServer {
  /** Where it listens, for people and for tests: a wildcard address reads `localhost`. */
  readonly url: string;
  /** From now on each answer ends its connection, so that no client counts on it when this server goes. */
  drain(): void;
  /** Stops listening, lets running requests end. */
  close(): Promise<void>;
}

/** Longer than any server name (200 characters) however it is encoded. */
const MAX_PARAM_LENGTH = 1024;

/** A request has to be here whole in this time. */
const REQUEST_TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 1_000;

/** Listens when it returns; when it throws, nothing is left open. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const counter = options.metrics && new RequestCounter(options.metrics);
  const adapter = new FastifyAdapter(serverOptions(options));
  const server = adapter.getInstance();
  if (options.revalidations) answerFirst(server.server, options.revalidations, counter);
  lookAtRequests(server, counter);
  addCommonHeaders(server);
  keepJsonAsBytes(server);
  if (options.mayWrite) lookAtWriters(server, options.mayWrite);
  const allRoutesAreThere = refuseOtherMethods(server);
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(options.logger),
    abortOnError: false,
    bodyParser: false,
  });
  try {
    await app.init();
    allRoutesAreThere();
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    throw listenFault(options, error as NodeJS.ErrnoException);
  }
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `http://${urlHost(options.host)}:${port}`,
    // Below all hooks: some answers go past them.
    drain: () => void server.server.prependListener('request', endConnection),
    close: () => app.close(),
  };
}

/** Before Fastify, which gets what is left. */
function answerFirst(server: Server, revalidations: Revalidations, counter: RequestCounter | undefined): void {
  const [passOn] = server.listeners('request') as [RequestListener];
  server.removeListener('request', passOn).on('request', (message, response) => {
    const startedAt = performance.now();
    const route = revalidations.answer(message, response);
    if (route === undefined) passOn(message, response);
    else counter?.count(route, response, startedAt);
  });
}

/**
 * Counts, answers OPTIONS, and refuses what nobody answers, for paths that do not exist as well: whoever asks next sees why.
 * In one hook, since each takes its part of what a 304 costs, and before a body is read.
 */
function lookAtRequests(server: FastifyInstance, counter: RequestCounter | undefined): void {
  server.addHook('onRequest', (request, reply, done) => {
    counter?.begin(request, reply);
    if (request.method === 'OPTIONS') answerPreflight(reply);
    else done(refuseOtherTypes(request) ?? (request.is404 ? notFound(server, request.method) : undefined));
  });
}

/** Before a body is read: nobody fills the memory with what is refused anyway. */
function lookAtWriters(server: FastifyInstance, mayWrite: NonNullable<HttpServerOptions['mayWrite']>): void {
  server.addHook('onRoute', (route) => {
    if ([route.method].flat().every((method) => SAFE_METHODS.has(method))) return;
    route.preParsing = async (request) => void (await mayWrite(request));
  });
}

/** RFC 9110, 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Methods that no path has are unknown to the router, which therefore cannot say whether there is such a path. */
function notFound(server: FastifyInstance, method: string): Error {
  if (server.supportedMethods.includes(method)) return new NotFoundException();
  return new Problem(501, `the method ${method} is not known here`);
}

function endConnection(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
}

/** What is published must keep its own words and order, which a detour through objects would not. */
function keepJsonAsBytes(server: FastifyInstance): void {
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // Refused by those who want a body, after they have looked who it is that sends it.
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
}

function serverOptions({ directory }: HttpServerOptions): FastifyHttpOptions<Server> & { skipMiddie: boolean } {
  return {
    rewriteUrl: (message) => scopeToRegistry(message, directory),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, querystringParser: parseQueryString },
    genReqId: requestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node exchanges the two where the head may take longer than the whole, and looks every 30 s only.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // Whoever asks over a connection that is there already is still answered, and told that it ends.
    return503OnClosing: false,
    skipMiddie: true,
    frameworkErrors: (error, _request, reply) => {
      void reply.headers(COMMON_HEADERS);
      sendProblem(reply, toProblem(error));
    },
    clientErrorHandler: answerUnreadable,
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Bytes that are no HTTP request: too long a head, too slow, or something else altogether. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const status = UNREADABLE[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ error: `the request cannot be read: ${status.slice(4)}` });
  const headers = {
    ...COMMON_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status}`, ...lines, '', body].join('\r\n'));
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};
