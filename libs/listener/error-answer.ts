import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** An error response in the format of every listener: `{"error": "…"}`. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | number>>;
}

export function toErrorAnswer(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer {
  const body = JSON.stringify({ error: message });
  return {
    status,
    body,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...headers,
    },
  };
}

/**
 * Sends a response without Fastify and closes the connection, because the bytes that follow on it may not be a request.
 */
export function sendError(response: ServerResponse, { status, body, headers }: ErrorAnswer): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
}

/**
 * Responds to bytes that are not an HTTP request. Node creates no response object for them, so it is written to the
 * socket.
 */
export function sendErrorOnSocket(socket: Socket, { status, body, headers }: ErrorAnswer): void {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
