import { isFields } from '#domain/fields.js';
import { LIFECYCLE_STATUSES } from '#domain/catalogue-entry.js';
import type { Lifecycle, LifecycleStatus } from '#domain/catalogue-entry.js';
import { EntryFault } from '../formats/entry-fault.js';
import { toInstant } from './instant.js';

export const OFFICIAL = 'io.modelcontextprotocol.registry/official';

/** Maximum length in characters. Messages written by registries have one sentence. */
const MAX_STATUS_MESSAGE = 4096;

/**
 * Returns the lifecycle from the official block next to a server, or undefined if there is no such block, as the Go
 * server does. Invalid times are ignored, but an unknown status throws an EntryFault, because it might mean that the
 * server should not be used.
 */
export function toLifecycle(official: unknown): Lifecycle | undefined {
  if (!isFields(official)) return undefined;
  const statusMessage = fieldOf(official, 'statusMessage');
  const isLatest = fieldOf(official, 'isLatest');
  // Some programs write null or an empty string if there is no status.
  const given = official['status'] || 'active';
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
    const instant = toInstant(fieldOf(official, field));
    return instant === undefined ? [] : [[field, instant]];
  });
  return {
    status: status as LifecycleStatus,
    ...(typeof statusMessage === 'string' && statusMessage !== '' && { statusMessage }),
    ...(typeof isLatest === 'boolean' && { isLatest }),
    ...(Object.fromEntries(times) as Omit<Lifecycle, 'status'>),
  };
}

/** Returns a field in either spelling, because registries of 2025 used snake case. */
function fieldOf(official: Readonly<Record<string, unknown>>, field: string): unknown {
  return official[field] ?? official[field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** Returns the lifecycle from the server.json itself, which had a status field until 2025-09. */
export function formerLifecycle(server: unknown): Lifecycle | undefined {
  return isFields(server) && server['status'] === 'deleted' ? { status: 'deleted' } : undefined;
}
