import type { SourceEntity } from '#persistence/entities/source.entity.js';
import type { Consent } from '#persistence/shrink-guard.js';
import { isSameSpec } from '../plan.js';

type Stored = Pick<SourceEntity, 'heldRevision' | 'heldTrigger' | 'heldConfirmed' | 'specHash'>;

/**
 * Returns the removals that the user has consented to. An edit of where or how the source is read consents to all of
 * them. A sync requested over the API since they were held back, or a new value of the sync-trigger annotation,
 * consents to the removals that were held back. A new version of the reader is not an edit.
 */
export function givenConsent(stored: Stored, specHash: string, triggerToken: string | undefined): Consent | undefined {
  if (!isSameSpec(stored.specHash, specHash)) return 'all';
  if (stored.heldRevision === null) return undefined;
  const isTriggered = triggerToken !== undefined && triggerToken !== stored.heldTrigger;
  return isTriggered || stored.heldConfirmed ? 'held' : undefined;
}
