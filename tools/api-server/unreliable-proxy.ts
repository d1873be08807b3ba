import { once } from 'node:events';
import { createServer, request as plainRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';

/** What happens to a request. `none` forwards it. */
export type Mishap =
  'none' | 'refuse-429' | 'refuse-500' | 'refuse-403' | 'refuse-404' | 'expire-410' | 'cut' | 'silence';

/** Key and certificate in PEM format. */
interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A proxy in front of an API server that injects network and server faults. */
export class UnreliableProxy implements AsyncDisposable {
  /** Decides what happens to each request that arrives from now on. */
  decide: (request: { readonly isWatch: boolean; readonly url: string; readonly method: string }) => Mishap = () =>
    'none';
  /** Paths of the requests, including their queries, in order of arrival. */
  readonly requests: string[] = [];

  private readonly watches = new Set<ServerResponse>();
  private readonly server;

  private constructor(
    private readonly target: ClusterAccess,
    private readonly tls: ServerCertificate | undefined,
  ) {
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.answer(request, response);
    this.server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  /** Starts a proxy. With `tls`, it is an https server, as pods expect. */
  static async before(target: ClusterAccess, tls?: ServerCertificate): Promise<UnreliableProxy> {
    const proxy = new UnreliableProxy(target, tls);
    await once(proxy.server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** Returns access with the same credentials through the proxy. */
  get access(): ClusterAccess {
    const { port } = this.server.address() as AddressInfo;
    return { ...this.target, server: new URL(`${this.tls ? 'https' : 'http'}://127.0.0.1:${port}`) };
  }

  /** Breaks the connections of all open watches. */
  cutWatches(): void {
    for (const response of this.watches) response.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url!;
    this.requests.push(url);
    const isWatch = url.includes('watch=true');
    if (isWatch) {
      this.watches.add(response);
      response.on('close', () => this.watches.delete(response));
    }
    const status = (code: number, reason: string) => ({
      kind: 'Status',
      code,
      reason,
      message: `${reason} by the proxy`,
    });
    switch (this.decide({ isWatch, url, method: request.method! })) {
      case 'refuse-429':
        response.writeHead(429, { 'retry-after': '1' }).end(JSON.stringify(status(429, 'TooManyRequests')));
        return;
      case 'refuse-500':
        response.writeHead(500).end(JSON.stringify(status(500, 'InternalError')));
        return;
      case 'refuse-403':
        response.writeHead(403).end(JSON.stringify(status(403, 'Forbidden')));
        return;
      case 'refuse-404':
        response.writeHead(404).end(JSON.stringify(status(404, 'NotFound')));
        return;
      case 'expire-410':
        response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
        return;
      case 'cut':
        response.destroy();
        return;
      case 'silence':
        response.writeHead(200).flushHeaders();
        return;
      case 'none':
        await this.forward(request, response);
    }
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tls } = await this.target.credentials();
    const target = new URL(request.url!, this.target.server);
    const send = target.protocol === 'https:' ? tlsRequest : plainRequest;
    const upstream = send(target, {
      method: request.method,
      headers: { ...request.headers, host: target.host },
      ...tls,
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers).flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }
}
