import type { Reason } from '#domain/reasons.js';
import { describeOutage } from '../../describe-outage.js';

/**
 * Failures of our own server rather than of the source. Their messages contain hosts and roles that readers of a
 * registry need not know.
 */
const OWN_FAILURES: ReadonlySet<string> = new Set<Reason>(['StorageFailed', 'InternalError']);

/** Returns the message of a failed sync as shown to readers of the registry, who may be clients without login. */
export function toShownMessage(reason: string | null, message: string | null): string | null {
  const isOwn = reason !== null && (reason.startsWith('Database') || OWN_FAILURES.has(reason));
  return isOwn ? describeOutage(reason as Reason) : message;
}
