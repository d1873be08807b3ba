import { RegistryError } from '#domain/registry-error.js';
import { DatabaseFault, detailOf } from './database-fault.js';
import type { DatabaseAccess, DatabaseHost } from './database-place.js';

/** The host of each database that was last connected to. */
const chosen = new WeakMap<DatabaseAccess, DatabaseHost>();

/**
 * Returns the host to connect to if several are given: the previous one until `forgetHost` is called, otherwise the
 * first writable one, otherwise the first that responds. All hosts are probed concurrently, so that those that are down
 * cost no time. Throws a RegistryError that lists the failure of each host.
 */
export async function chooseHost(
  access: DatabaseAccess,
  probe: (place: DatabaseHost) => Promise<{ readonly isReadOnly: boolean }>,
): Promise<DatabaseHost> {
  const known = chosen.get(access);
  if (known) return known;
  const places = [toPlace(access), ...(access.others ?? [])];
  const probes = await Promise.allSettled(places.map(probe));
  const writable = probes.findIndex((each) => each.status === 'fulfilled' && !each.value.isReadOnly);
  const answering = probes.findIndex(({ status }) => status === 'fulfilled');
  const place = places[writable >= 0 ? writable : answering];
  if (!place) throw summed(probes.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : [])));
  chosen.set(access, place);
  return place;
}

/**
 * Forgets the known host after a failure to connect, or if the server is read-only. The next connection probes all
 * hosts again.
 */
export function forgetHost(access: DatabaseAccess): void {
  chosen.delete(access);
}

function toPlace({ host, port }: DatabaseHost): DatabaseHost {
  return { host, ...(port !== undefined && { port }) };
}

function summed(faults: readonly Error[]): Error {
  const [first] = faults;
  if (!(first instanceof RegistryError)) return first ?? new Error('no host is given');
  const message = faults.map((fault) => fault.message).join('; ');
  const detail = faults.map(detailOf).join('; ');
  return new DatabaseFault(first.reason, message, first.destiny, { cause: first.cause, detail });
}
