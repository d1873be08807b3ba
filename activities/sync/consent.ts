import type { SourceEntity } from '#persistence/entities/source.entity.js';
import type { Consent } from '#persistence/shrink-guard.js';
import { isSameSpec } from '../plan.js';

type Stored = Pick<SourceEntity, 'heldRevision' | 'heldTrigger' | 'heldConfirmed' | 'specHash'>;

/**
 * Returns the removals that the user has consented to. An edit of where or how the source is read consents to all of
 * them. A sync requested over the API since the shrink guard blocked them, or a new value of the sync-trigger
 * annotation, consents to the blocked removals. A new version of the reader is not an edit.
 */
export function givenConsent(stored: Stored, specHash: string, triggerToken: string | undefined): Consent | undefined {
  if (!isSameSpec(stored.specHash, specHash)) return 'all';
  if (stored.heldRevision === null) return undefined;
  const isTriggered = triggerToken !== undefined && triggerToken !== stored.heldTrigger;
  return isTriggered || stored.heldConfirmed ? 'held' : undefined;
}
