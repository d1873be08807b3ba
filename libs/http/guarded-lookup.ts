import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';

/**
 * Resolves names as the system does, to the addresses that the policy allows; fails with a ForbiddenAddress if there is none. Calls
 * `onAttempt` with the reach of each address before it is tried.
 */
export function guardedLookup(
  policy: AddressPolicy,
  onAttempt: (reach: AddressReach) => void = () => undefined,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '');
        return;
      }
      const allowed = addresses.filter(({ address }) => isAllowed(address, policy));
      const [first] = allowed;
      for (const { address } of allowed) onAttempt(reachOf(address));
      if (!first) callback(new ForbiddenAddress(hostname, addresses[0]?.address ?? ''), '');
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
