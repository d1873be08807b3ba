import type { Reason } from '#domain/reasons.js';

/**
 * Describes why the database cannot be used, for clients that are not logged in. The text reveals neither its host and
 * role nor what responds at that address.
 */
export function describeOutage(reason: Reason): string {
  return `${reason}: the log of the server has the cause`;
}
