import { reachOf } from './address-policy.js';

/** A host is where the policy lets nobody go. The message is a predicate, to follow the URL. */
export class ForbiddenAddress extends Error {
  constructor(host: string, address: string) {
    const what = reachOf(address) === 'never' ? 'a link-local, metadata or reserved address' : 'a private address';
    super(`${host === address ? 'is' : `leads to ${address},`} ${what}, where requests must not go`);
    this.name = 'ForbiddenAddress';
  }
}
