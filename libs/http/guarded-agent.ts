import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';
import { guardedLookup } from './guarded-lookup.js';

/** Connections that are kept for the next request, none of which ends where the policy forbids. */
export interface GuardedAgent extends AsyncDisposable {
  readonly dispatcher: Agent;
  /** Where the last connection to `https://host:port` ended. */
  reached(origin: string): AddressReach | undefined;
}

/**
 * The address is judged when a connection is made, not when a URL is read: a name may lead elsewhere the next moment.
 * Names are judged as they are resolved, literal addresses before (they are never resolved), and the socket once
 * more when it is connected. `ca` (PEM) is trusted beside the authorities that this process trusts anyway.
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
  // Requests have one deadline for everything, which also ends an answer that trickles.
  const dispatcher = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 });
  return {
    dispatcher,
    reached: (origin) => reached.get(origin),
    async [Symbol.asyncDispose]() {
      // Without it a connection that is still being made would hold everybody up until its own time-out.
      life.abort();
      await dispatcher.destroy();
    },
  };
}
