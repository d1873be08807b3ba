import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';

/**
 * Returns a lookup function that resolves names as the system does, and returns only addresses that the policy allows.
 * It fails with a ForbiddenAddress if there are none, and calls `onAttempt` with the reach of each address before it is
 * tried.
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
