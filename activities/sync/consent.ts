import type { SourceEntity } from '#persistence/entities/source.entity.js';

type Held = Pick<SourceEntity, 'heldRevision' | 'heldTrigger' | 'confirmedRevision'>;

/**
 * Returns the revision that the user lets remove whatever it removes: the one that was held back, if a sync was asked for
 * over the API since, or the sync-trigger annotation has another value than when it was held back.
 */
export function confirmedRevision(held: Held, triggerToken: string | undefined): string | undefined {
  if (held.heldRevision === null) return undefined;
  const isTriggered = triggerToken !== undefined && triggerToken !== held.heldTrigger;
  return isTriggered || held.confirmedRevision === held.heldRevision ? held.heldRevision : undefined;
}
