import { reachOf } from './address-policy.js';

/**
 * Thrown if the policy forbids the address of a host. The message is a predicate that follows the URL. It does not
 * reveal the address that the name resolved to, because not everybody who may write a spec should learn the names of a
 * private network.
 */
export class ForbiddenAddress extends Error {
  constructor(host: string, address: string) {
    const what = reachOf(address) === 'never' ? 'a link-local, metadata or reserved address' : 'a private address';
    super(`${host === address ? 'is' : 'leads to'} ${what}, to which requests are not allowed`);
    this.name = 'ForbiddenAddress';
  }
}
