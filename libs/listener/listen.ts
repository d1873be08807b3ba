import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { LISTENER_LIMITS } from './limits.js';
import { listenFault } from './listen-fault.js';
import type { WantedAddress } from './listen-fault.js';

/** A server that is listening. */
export interface Listener {
  readonly port: number;
  /** The URL to show to users and tests. A wildcard address is replaced by `localhost`. */
  readonly url: string;
  /** Makes each response close its connection from now on, so that clients move to another server. */
  drain(): void;
  /** Stops listening, waits for requests in progress, and aborts those that take too long. */
  close(): Promise<void>;
}

/** Starts to listen with a Fastify server. If that fails, throws an error with the remedy, if there is one. */
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

/**
 * The error codes for the wildcard address `::` on a kernel without IPv6. With IPv6, this address covers IPv4 as well.
 */
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
