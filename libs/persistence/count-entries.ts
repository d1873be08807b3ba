import type { Client } from 'pg';
import type { EntryCounts } from '#domain/sync.js';

/** How many entries of a source are stored now, beside what a transaction has changed of them. */
export async function countEntries(
  client: Client,
  sourceId: number,
  changes: Pick<EntryCounts, 'added' | 'updated' | 'removed'>,
): Promise<EntryCounts> {
  const { rows } = await client.query<{ served: number; hidden: number; quarantined: number }>(
    `SELECT count(*) FILTER (WHERE hidden_by IS NULL)::int AS served,
            count(*) FILTER (WHERE hidden_by IS NOT NULL)::int AS hidden,
            (SELECT count(*)::int FROM quarantined_entry WHERE source_id = $1) AS quarantined
       FROM entry WHERE source_id = $1 AND deleted_at IS NULL`,
    [sourceId],
  );
  const stored = rows[0] as { served: number; hidden: number; quarantined: number };
  const unchanged = Math.max(0, stored.served + stored.hidden - changes.added - changes.updated);
  return { ...stored, ...changes, unchanged };
}
