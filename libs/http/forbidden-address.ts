import { reachOf } from './address-policy.js';

/**
 * The policy forbids the address of a host. The message is a predicate that follows the URL. It does not say what the name resolved
 * to: the names of a private network are not for everybody who may write a spec.
 */
export class ForbiddenAddress extends Error {
  constructor(host: string, address: string) {
    const what = reachOf(address) === 'never' ? 'a link-local, metadata or reserved address' : 'a private address';
    super(`${host === address ? 'is' : 'leads to'} ${what}, where requests must not go`);
    this.name = 'ForbiddenAddress';
  }
}
