import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';
import { guardedLookup } from './guarded-lookup.js';

/**
 * A pool of connections that are kept alive for later requests. None of them leads to an address that the policy
 * forbids.
 */
export interface GuardedAgent extends AsyncDisposable {
  readonly dispatcher: Agent;
  /** Returns the reach of the address that the last connection to `https://host:port` was made to. */
  reached(origin: string): AddressReach | undefined;
}

/**
 * Creates an agent that checks the address when it connects, not when it parses a URL, because a name may resolve to
 * another address a moment later. It checks names when they are resolved, literal addresses before connecting (they are
 * never resolved), and the socket again once it is connected. `ca` (PEM) is trusted in addition to the authorities that
 * this process already trusts.
 */
export function createGuardedAgent(
  policy: AddressPolicy,
  connectTimeoutMs: number,
  ca?: string,
  onAttempt: (reach: AddressReach) => void = () => undefined,
): GuardedAgent {
  const reached = new Map<string, AddressReach>();
  const life = new AbortController();
  const options = {
    timeout: connectTimeoutMs,
    lookup: guardedLookup(policy, onAttempt),
    signal: life.signal,
    ...(ca !== undefined && { ca: [...getCACertificates(), ca] }),
  };
  const connectUnguarded = buildConnector(options as buildConnector.BuildOptions);
  const connect: buildConnector.connector = (target, callback) => {
    const { hostname } = target;
    if (isIP(hostname) !== 0 && !isAllowed(hostname, policy)) {
      callback(new ForbiddenAddress(hostname, hostname), null);
      return;
    }
    if (isIP(hostname) !== 0) onAttempt(reachOf(hostname));
    connectUnguarded(target, (...[error, socket]) => {
      if (error) {
        callback(error, null);
        return;
      }
      const address = socket.remoteAddress ?? '';
      if (!isAllowed(address, policy)) {
        socket.destroy();
        callback(new ForbiddenAddress(hostname, address), null);
        return;
      }
      reached.set(`${target.protocol}//${target.host}`, reachOf(address));
      callback(null, socket);
    });
  };
  // Requests have one overall deadline, which also aborts a response that arrives very slowly.
  const dispatcher = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 });
  return {
    dispatcher,
    reached: (origin) => reached.get(origin),
    async [Symbol.asyncDispose]() {
      // Otherwise a connection that is still being established would delay the close until its own timeout.
      life.abort();
      await dispatcher.destroy();
    },
  };
}
