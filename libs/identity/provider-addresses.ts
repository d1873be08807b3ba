import { reachOf } from '#http/address-policy.js';
import type { AddressReach } from '#http/address-policy.js';
import type { Notice } from '#domain/notice.js';
import type { ProviderSpec } from './provider-fields.js';

/**
 * Host names that resolve only inside a cluster or on this machine: a single label, `*.localhost`, `*.svc`,
 * `*.svc.<domain>`, `*.internal` and `*.local`.
 */
const INTERNAL_NAME = /^(?:[^.]+|.+\.localhost|.+\.svc(?:\..+)?|.+\.(?:internal|local))$/;

/**
 * Returns a notice for each URL of a provider that the address policy will reject, as far as this can be seen from the
 * URL. A public name that resolves to a private address is detected only when a request is made. The log and the
 * readiness report of the server then say so.
 */
export function providerAddressNotices(
  { name, allowPrivateIP }: ProviderSpec,
  urls: Readonly<Record<string, string>>,
): Notice[] {
  return Object.entries(urls).flatMap(([field, url]) => {
    const reach = reachOfHost(new URL(url).hostname);
    if (reach === 'public' || (reach === 'private' && allowPrivateIP)) return [];
    const remedy =
      reach === 'private'
        ? 'set allowPrivateIP if the provider belongs there, or correct the URL'
        : 'correct the URL: it is a link-local, metadata or reserved address';
    const message = `provider ${name}: no token can be checked, since requests to the address of ${field} are refused: ${remedy}`;
    return [{ reason: 'ProviderAddressRefused', message }];
  });
}

function reachOfHost(hostname: string): AddressReach {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (/^[\d.]+$/.test(address) || address.includes(':')) return reachOf(address);
  return INTERNAL_NAME.test(address.replace(/\.$/, '')) ? 'private' : 'public';
}
