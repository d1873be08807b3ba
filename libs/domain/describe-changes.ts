import type { EntryCounts } from './sync.js';

/**
 * Describes what a publication changed and left out: `3 added, 1 in quarantine`. Returns an empty string if nothing
 * changed.
 */
export function describeChanges(counts: EntryCounts): string {
  const changes = [
    [counts.added, 'added'],
    [counts.updated, 'updated'],
    [counts.removed, 'removed'],
    [counts.hidden, 'left out by the filter'],
    [counts.quarantined, 'in quarantine'],
  ] as const;
  return changes.flatMap(([amount, word]) => (amount > 0 ? [`${amount} ${word}`] : [])).join(', ');
}
