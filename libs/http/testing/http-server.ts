import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A real server on a free local port. Disposal closes the server and all its connections. */
export interface TestServer extends AsyncDisposable {
  /** URL without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** The requests received, as `path?query`. */
  readonly requests: readonly string[];
  readonly headers: readonly IncomingMessage['headers'][];
}

export async function startHttpServer(answer: RequestListener): Promise<TestServer> {
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    headers.push(request.headers);
    answer(request, response);
  });
  return listening(server, () => server.closeAllConnections(), requests, headers);
}

/** Starts an HTTPS server with a self-signed certificate. */
export async function startHttpsServer(answer: RequestListener): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'self-signed-'));
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => join(directory, file)) as [string, string];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await promisify(execFile)('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert]);
    const server = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, answer);
    return await listening(server, () => server.closeAllConnections(), [], [], 'https');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Starts a TCP server that runs `talk` for each connection, with HTTP or any other protocol. */
export async function startTcpServer(talk: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // Ignore errors, because these tests are about clients that disconnect in the middle of a response.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    talk(socket);
    // A socket that is not read does not notice when the peer closes it.
    socket.resume();
  });
  return listening(server, () => sockets.forEach((socket) => socket.destroy()), [], []);
}

async function listening(
  server: Server,
  hangUp: () => void,
  requests: string[],
  headers: IncomingMessage['headers'][],
  scheme = 'http',
): Promise<TestServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    requests,
    headers,
    async [Symbol.asyncDispose]() {
      hangUp();
      server.close();
      await once(server, 'close');
    },
  };
}
