import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Endpoints {
  /** What is missing; nothing when it is ready. */
  missing(): readonly string[];
  metrics(): string;
}

export interface HealthServers {
  readonly healthPort: number;
  readonly metricsPort: number;
  close(): Promise<void>;
}

/** `/healthz` and `/readyz` on one port, `/metrics` on another. Alive is whoever answers. */
export async function startHealthServers(
  { missing, metrics }: Endpoints,
  { host, ...ports }: { readonly host: string; readonly healthPort: number; readonly metricsPort: number },
): Promise<HealthServers> {
  const health = await listen(host, ports.healthPort, (path) => {
    if (path === '/healthz') return { status: 200, text: 'ok\n' };
    if (path !== '/readyz') return undefined;
    const lacks = missing();
    return lacks.length === 0
      ? { status: 200, text: 'ok\n' }
      : { status: 503, text: `not ready: ${lacks.join(', ')}\n` };
  });
  const metering = await listen(host, ports.metricsPort, (path) =>
    path === '/metrics' ? { status: 200, text: metrics() } : undefined,
  );
  return {
    healthPort: portOf(health),
    metricsPort: portOf(metering),
    close: async () => void (await Promise.all([close(health), close(metering)])),
  };
}

async function listen(
  host: string,
  port: number,
  answer: (path: string) => { status: number; text: string } | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    const { status, text } = answer(new URL(request.url ?? '/', 'http://x').pathname) ?? {
      status: 404,
      text: 'not found\n',
    };
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
