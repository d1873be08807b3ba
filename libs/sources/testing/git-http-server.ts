import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';

/** Git's own smart HTTP server behind a Node server, so that a test can make it behave as badly as real hosts. */
export interface GitHttpServer extends AsyncDisposable {
  /** URL without a trailing slash. Repositories are below it, under the names of their folders. */
  readonly url: string;
  readonly requests: readonly GitRequest[];
}

export interface GitRequest {
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface GitHttpOptions {
  /** Path of a folder. All folders beside it are served. */
  readonly repository: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  /** Whether the server speaks only protocol 0, in which it refuses to serve commits that no ref names. */
  readonly onlyProtocol0?: boolean;
  /** Whether the response with the packfile never completes. */
  readonly withholdEndOfPack?: boolean;
  /** Host to listen on. Default: loopback. */
  readonly host?: string;
  /** Key and certificate in PEM. If set, the server uses HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Handles a request instead of git. Returns whether it did. */
  intercept?(request: IncomingMessage, response: ServerResponse): boolean;
}

export async function startGitHttpServer(options: GitHttpOptions): Promise<GitHttpServer> {
  const requests: GitRequest[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { authorization } = request.headers;
    requests.push({ path: request.url ?? '', authorization });
    if (options.intercept?.(request, response)) return;
    if (options.basicAuth && !isAuthorized(authorization, options.basicAuth)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    runBackend(request, response, options);
  };
  const server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer);
  server.listen(0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** More bytes than a list of refs has in tests. */
const WHOLE_PACK_BYTES = 50_000;

function isAuthorized(
  header: string | undefined,
  { username, password }: { username: string; password: string },
): boolean {
  return header === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/**
 * Runs git's backend over CGI (RFC 3875): the request is passed in the environment, and the output starts with the
 * response headers.
 */
function runBackend(request: IncomingMessage, response: ServerResponse, options: GitHttpOptions): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: dirname(options.repository),
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...(options.onlyProtocol0 ? {} : { GIT_PROTOCOL: String(request.headers['git-protocol'] ?? '') }),
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head = Buffer.alloc(0);
  let sent = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    let status = 200;
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => {
    if (!(options.withholdEndOfPack && sent > WHOLE_PACK_BYTES)) response.end();
  });
}
