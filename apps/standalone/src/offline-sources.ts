import { lookup, resolveNs } from 'node:dns/promises';
import { outlineSource, readSpec } from '#activities/plan.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { rewriteUrl } from '#sources/rewrite-url.js';
import type { UrlRewrite } from '#sources/rewrite-url.js';

/** Matches the scp-like syntax that git also accepts: `user@host:path`. */
const SCP_LIKE = /^[^/@\s]+@([^/:\s]+):/;

/**
 * Returns whether a source is unreachable because this machine has no network: its host name does not resolve, and no
 * DNS server responds for the root zone either. A misspelled host name on a machine with a network does not count.
 */
export async function isOffline(
  resource: Pick<RegistryResource, 'ref' | 'spec'>,
  source: string,
  rewrites: readonly UrlRewrite[],
): Promise<boolean> {
  const address = addressOf(resource, source);
  const host = hostOf(address && rewriteUrl(address, rewrites));
  if (host === undefined) return false;
  const [resolves, hasNetwork] = await Promise.all([succeeds(lookup(host)), succeeds(resolveNs('.'))]);
  return !resolves && !hasNetwork;
}

function addressOf(resource: Pick<RegistryResource, 'ref' | 'spec'>, name: string): string | undefined {
  const read = readSpec(resource);
  const source = 'spec' in read ? read.spec.registries.find((each) => each.name === name) : undefined;
  return source && outlineSource(source, 0).address;
}

/** Returns the host of an address. Exported for its test. */
export function hostOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const [, host] = SCP_LIKE.exec(address) ?? [];
  if (host !== undefined) return host;
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  return new URL(address).hostname || undefined;
}

function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
