import { isFields } from '#domain/fields.js';
import { LIFECYCLE_STATUSES } from '#domain/catalogue-entry.js';
import type { Lifecycle, LifecycleStatus } from '#domain/catalogue-entry.js';
import { EntryFault } from '../formats/entry-fault.js';
import { toInstant } from './instant.js';

export const OFFICIAL = 'io.modelcontextprotocol.registry/official';

/** Characters; messages that registries write have one sentence. */
const MAX_STATUS_MESSAGE = 4096;

/**
 * Returns what the official block beside a server says of its life; undefined when there is none, as the Go server does. Times that
 * are none are left out, but a status that is unknown throws an EntryFault: it might mean that the server should not be used.
 */
export function toLifecycle(official: unknown): Lifecycle | undefined {
  if (!isFields(official)) return undefined;
  const { statusMessage } = official;
  const given = official['status'] ?? 'active';
  const status = typeof given === 'string' ? given.toLowerCase() : given;
  if (!LIFECYCLE_STATUSES.includes(status as LifecycleStatus)) {
    throw new EntryFault(['_meta', OFFICIAL, 'status'], `must be one of ${LIFECYCLE_STATUSES.join(', ')}`);
  }
  if (typeof statusMessage === 'string' && statusMessage.length > MAX_STATUS_MESSAGE) {
    throw new EntryFault(
      ['_meta', OFFICIAL, 'statusMessage'],
      `must have at most ${MAX_STATUS_MESSAGE} characters, since servers keep it in memory for every entry`,
    );
  }
  const times = ['statusChangedAt', 'publishedAt', 'updatedAt'].flatMap((field) => {
    // Registries of 2025 wrote it in snake case.
    const instant = toInstant(official[field] ?? official[field.replace('At', '_at')]);
    return instant === undefined ? [] : [[field, instant]];
  });
  return {
    status: status as LifecycleStatus,
    ...(typeof statusMessage === 'string' && statusMessage !== '' && { statusMessage }),
    ...(typeof official['isLatest'] === 'boolean' && { isLatest: official['isLatest'] }),
    ...(Object.fromEntries(times) as Omit<Lifecycle, 'status'>),
  };
}

/** Until 2025-09 the status was a field of the server.json itself. */
export function formerLifecycle(server: unknown): Lifecycle | undefined {
  return isFields(server) && server['status'] === 'deleted' ? { status: 'deleted' } : undefined;
}
