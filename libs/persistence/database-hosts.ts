import { RegistryError } from '#domain/registry-error.js';
import type { DatabaseAccess, DatabaseHost } from './database-place.js';

/** The host of each database that was connected to last. */
const chosen = new WeakMap<DatabaseAccess, DatabaseHost>();

/**
 * Returns the host to connect to where several are given: the one of the last time, until `forgetHost`, else the first that takes
 * writes, else the first that answers. All are asked at once, so that those that are down cost no time. Throws a
 * RegistryError that says what is wrong with each.
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

/** After a failure to connect, or when the server takes no writes: the next connection asks all hosts again. */
export function forgetHost(access: DatabaseAccess): void {
  chosen.delete(access);
}

function toPlace({ host, port }: DatabaseHost): DatabaseHost {
  return { host, ...(port !== undefined && { port }) };
}

function summed(faults: readonly Error[]): Error {
  const [first] = faults;
  if (!(first instanceof RegistryError)) return first ?? new Error('no host is given');
  return new RegistryError(first.reason, faults.map(({ message }) => message).join('; '), first.destiny, {
    cause: first.cause,
  });
}
