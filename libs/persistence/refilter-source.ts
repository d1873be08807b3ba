import type { Client } from 'pg';
import type { FilterRule } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import { countEntries } from './count-entries.js';
import { filterStored } from './filter-stored.js';
import { inTransaction } from './in-transaction.js';
import { confirmSource, lockSource, notifyReaders } from './source-row.js';
import { recordPublication } from './record-publication.js';
import type { SourceTarget } from './source-row.js';
import { spaceUpdates } from './space-updates.js';

/**
 * Applies an edited filter to the stored entries, in one transaction and without a request to the source. Returns null
 * if this filter has already been applied. Idempotent.
 */
export async function refilterSource(
  client: Client,
  target: SourceTarget & { readonly filterHash: string },
  hiddenBy: FilterRule,
): Promise<EntryCounts | null> {
  const { registry, filterHash } = target;
  return inTransaction(client, async () => {
    const sourceId = await lockSource(client, target);
    const updated = await filterStored(client, sourceId, filterHash, hiddenBy);
    if (updated > 0) await spaceUpdates(client, sourceId);
    const { served, hidden } = await countEntries(client, sourceId);
    await confirmSource(client, sourceId, target);
    const { rows } = await client.query<{ quarantined: number }>(
      `UPDATE source SET filter_hash = $2, served_count = $3, hidden_count = $4, generation = generation + $5::int
        WHERE id = $1 AND filter_hash IS NOT NULL AND filter_hash <> $2
       RETURNING quarantined_count AS quarantined`,
      [sourceId, filterHash, served, hidden, Number(updated > 0)],
    );
    const [refiltered] = rows;
    if (!refiltered) return null;
    const counts = {
      served,
      hidden,
      ...refiltered,
      added: 0,
      updated,
      removed: 0,
      unchanged: served + hidden - updated,
    };
    await recordPublication(client, sourceId, target, { counts });
    await notifyReaders(client, registry);
    return counts;
  });
}
