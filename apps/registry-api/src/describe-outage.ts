import type { Reason } from '#domain/reasons.js';

/**
 * Describes, for clients without login, why the database cannot be used. They must not learn its host, its role or what
 * answers at that address.
 */
export function describeOutage(reason: Reason): string {
  return `${reason}: the log of the server has the cause`;
}
