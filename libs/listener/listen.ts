import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { LISTENER_LIMITS } from './limits.js';
import { listenFault } from './listen-fault.js';
import type { WantedAddress } from './listen-fault.js';

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /** For people and for tests: a wildcard address reads `localhost`. */
  readonly url: string;
  /** Makes each answer end its connection from now on, so that clients move to another server. */
  drain(): void;
  /** Stops listening, lets running requests end, and cuts those that take too long. */
  close(): Promise<void>;
}

/** Listens with a Fastify server; throws, with the remedy where there is one, when it cannot. */
export async function listen(server: FastifyInstance, address: WantedAddress): Promise<Listener> {
  const { host } = address;
  await server.listen({ host: address.host, port: address.port }).catch(async (error: NodeJS.ErrnoException) => {
    if (host !== '::' || !NO_IPV6.has(error.code ?? '')) throw listenFault(address, error);
    await server.listen({ host: '0.0.0.0', port: address.port }).catch((fault: NodeJS.ErrnoException) => {
      throw listenFault(address, fault);
    });
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `http://${urlHost(host)}:${port}`,
    drain: () => void server.server.prependListener('request', endConnection),
    close: () => closeWithin(server, LISTENER_LIMITS.closeMs),
  };
}

/** How a kernel without IPv6 refuses the wildcard address `::`, which otherwise stands for IPv4 as well. */
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

function endConnection(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
}

async function closeWithin(server: FastifyInstance, milliseconds: number): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), milliseconds);
  await server.close();
  clearTimeout(cut);
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
