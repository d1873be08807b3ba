import { isIP, connect } from 'node:net';
import type { Socket } from 'node:net';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';
import { guardedLookup } from './guarded-lookup.js';

export interface ConnectionOptions {
  readonly policy: AddressPolicy;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with the reach of each address before a connection attempt. */
  onAttempt?(reach: AddressReach): void;
}

/**
 * Opens a TCP connection to a host from untrusted input. A name is resolved only once, and the connection is made to
 * the address that was checked, which prevents DNS rebinding. Throws a ForbiddenAddress or the error of the system.
 */
export async function connectGuarded(host: string, port: number, options: ConnectionOptions): Promise<Socket> {
  const { policy, timeoutMs, signal } = options;
  signal.throwIfAborted();
  if (isIP(host) !== 0) {
    if (!isAllowed(host, policy)) throw new ForbiddenAddress(host, host);
    options.onAttempt?.(reachOf(host));
  }
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port, lookup: guardedLookup(policy, options.onAttempt), autoSelectFamily: true });
  const abort = () => socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  socket.setTimeout(timeoutMs, () => socket.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' })));
  socket.once('error', reject).once('connect', () => resolve(socket));
  try {
    await promise;
    socket.setTimeout(0);
    const address = socket.remoteAddress ?? '';
    if (isAllowed(address, policy)) return socket;
    throw new ForbiddenAddress(host, address);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
