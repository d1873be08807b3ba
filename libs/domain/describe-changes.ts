import type { EntryCounts } from './sync.js';

/** What a publish changed and left out, for people: `3 added, 1 in quarantine`; empty when there is nothing to tell. */
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
