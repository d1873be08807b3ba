import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { sendError, sendErrorOnSocket, toErrorAnswer } from './error-answer.js';
import { LISTENER_LIMITS } from './limits.js';
import { toOriginForm } from './request-target.js';

export interface HardenedServerOptions {
  /** Headers of every response that does not come from a handler. */
  readonly commonHeaders: Readonly<Record<string, string>>;
  /** Returns whether a request with this `Host` header is accepted. If absent, every host is accepted. */
  readonly acceptsHost?: ((host: string | undefined) => boolean) | undefined;
  /** Optionally responds to a request before it is routed. Returns true if it did. */
  readonly answerFirst?: (message: IncomingMessage, response: ServerResponse) => boolean;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * Creates an HTTP server; no other code may do so. The handler gets only requests whose target is in origin form and
 * whose head is within the limits. An exception of the handler becomes an error response instead of terminating the
 * process.
 */
export function createHardenedServer(handler: RequestListener, options: HardenedServerOptions): Server {
  const { headBytes, requestMs, requestCheckMs, stalledMs, idleMs, connections } = LISTENER_LIMITS;
  const server = createServer(
    {
      maxHeaderSize: headBytes,
      insecureHTTPParser: false,
      requestTimeout: requestMs,
      // Node swaps the two timeouts if the one for the headers is longer than the one for the request.
      headersTimeout: requestMs,
      connectionsCheckingInterval: requestCheckMs,
      keepAliveTimeout: idleMs,
    },
    guard(handler, options),
  );
  // Zero disables Node's own limit, because Node silently drops the header fields beyond it. That would hide a
  // duplicate of a header that must occur only once.
  server.maxHeadersCount = 0;
  server.maxConnections = connections;
  server.setTimeout(stalledMs);
  return server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerUnreadable(error, socket, options),
  );
}

function guard(handler: RequestListener, options: HardenedServerOptions): RequestListener {
  const { answerFirst, acceptsHost } = options;
  const respond: RequestListener = (message, response) => {
    try {
      const fault = refuseHead(message, acceptsHost);
      if (fault) return sendError(response, toErrorAnswer(...fault, options.commonHeaders));
      if (!answerFirst?.(message, response)) handler(message, response);
    } catch (error) {
      answerException(error, message, response, options);
    }
  };
  return oneByOne(respond);
}

/**
 * Starts pipelined requests one after the other: a request that was received before the previous request of its
 * connection was answered waits for that response. Node would start all of them at once, however many a client sends.
 * The number that wait is limited for all connections together, and a connection that exceeds the limit is closed.
 */
function oneByOne(respond: RequestListener): RequestListener {
  let waiting = 0;
  return (message, response) => {
    // Node assigns the socket to a response when it is the turn of that response.
    if (response.socket !== null) return respond(message, response);
    const { socket } = message;
    // The parser reads on to the end of the received bytes after its connection has been closed.
    if (socket.destroyed) return;
    if (waiting >= LISTENER_LIMITS.pipelinedRequests) return void socket.destroy();
    waiting++;
    let isWaiting = true;
    const leave = () => {
      if (isWaiting) waiting--;
      isWaiting = false;
    };
    // If the connection is closed, only the message is told.
    message.once('close', leave);
    response.once('socket', () => {
      leave();
      if (!socket.destroyed) respond(message, response);
    });
  };
}

const MISDIRECTED =
  'this server accepts requests for localhost only; if it is behind a proxy, set ALLOWED_HOSTS to the name that clients use';

/** Rewrites the target to origin form. Returns the reason if the request must be rejected. */
function refuseHead(
  message: IncomingMessage,
  acceptsHost: HardenedServerOptions['acceptsHost'],
): [status: number, reason: string] | undefined {
  if (message.rawHeaders.length > 2 * LISTENER_LIMITS.headerFields)
    return [431, 'the request has too many header fields'];
  if (acceptsHost && !acceptsHost(message.headers.host)) return [421, MISDIRECTED];
  const target = toOriginForm(message.url ?? '');
  if (target === undefined) return [400, 'the request target is malformed: it must be a path or an http(s) URL'];
  message.url = target;
  return undefined;
}

function answerException(
  err: unknown,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  { commonHeaders, logger }: HardenedServerOptions,
): void {
  // Logs the path without the query, because some clients put tokens there.
  logger.error({ err, method, path: url.split('?')[0] }, 'request failed');
  sendError(response, toErrorAnswer(500, 'internal error; see the log of the server', commonHeaders));
}

/**
 * Responds to a request that Node's parser rejected because its head is too long or too slow, or because it is not HTTP
 * at all.
 */
function answerUnreadable(
  { code = '' }: NodeJS.ErrnoException,
  socket: Socket,
  { commonHeaders }: HardenedServerOptions,
): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, reason] = UNREADABLE.get(code) ?? [400, 'Bad Request'];
  sendErrorOnSocket(socket, toErrorAnswer(status, `the request cannot be read: ${reason}`, commonHeaders));
}

const UNREADABLE: ReadonlyMap<string, readonly [status: number, reason: string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request Timeout']],
  ['HPE_HEADER_OVERFLOW', [431, 'Request Header Fields Too Large']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', [413, 'Content Too Large']],
]);
