import { once } from 'node:events';
import { createServer, request as plainRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';

/** What happens to a request: it goes through, or … */
export type Mishap = 'none' | 'refuse-500' | 'refuse-403' | 'refuse-404' | 'expire-410' | 'cut' | 'silence';

/** Stands before an API server and does to requests what networks and servers do to them. */
export class UnreliableProxy implements AsyncDisposable {
  /** Decides about each request that arrives from now on. */
  decide: (request: { readonly isWatch: boolean; readonly url: string; readonly method: string }) => Mishap = () =>
    'none';
  /** Paths as they arrived. */
  readonly requests: string[] = [];

  private readonly watches = new Set<ServerResponse>();
  private readonly server = createServer((request, response) => void this.answer(request, response));

  private constructor(private readonly target: ClusterAccess) {}

  static async before(target: ClusterAccess): Promise<UnreliableProxy> {
    const proxy = new UnreliableProxy(target);
    await once(proxy.server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  /** The same credentials, through the proxy. */
  get access(): ClusterAccess {
    const { port } = this.server.address() as AddressInfo;
    return { ...this.target, server: new URL(`http://127.0.0.1:${port}`) };
  }

  /** Breaks the connection of every watch that is open. */
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
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }
}
