import { reachOf } from '#http/address-policy.js';
import type { AddressReach } from '#http/address-policy.js';
import type { Notice } from '#domain/notice.js';
import type { ProviderSpec } from './provider-fields.js';

/** Names that resolve inside of a cluster or of this machine only: a single label, `localhost`, `*.svc`, `*.svc.<domain>`. */
const INTERNAL_NAME = /^(?:[^.]+|.+\.localhost|.+\.svc(?:\..+)?|.+\.(?:internal|local))$/;

/**
 * Returns a notice for each URL of a provider that the address guard will refuse, as far as the URL itself shows it. A public
 * name with a private address shows only when it is asked; the log and the readiness report of the server say so then.
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
