import type { Client } from 'pg';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { EntryCounts } from '#domain/sync.js';
import type { SourceTarget } from './source-row.js';

/**
 * Records what a run has published in the transaction that publishes it, so that the history of a source contains each
 * revision once, even if the process dies before it can report the run. The row is completed when the run ends.
 * Idempotent: a repeated publication of the same revision keeps the first counts, because the second one changes
 * nothing. An applied filter is recorded without a revision. Does nothing if no sync run publishes.
 */
export async function recordPublication(
  client: Client,
  sourceId: number,
  { registry, source, run, trigger }: SourceTarget,
  { revision, counts }: { readonly revision?: string; readonly counts: EntryCounts },
): Promise<void> {
  if (run === undefined || trigger === undefined) return;
  await client.query(
    `INSERT INTO sync_run (workflow_id, source_id, trigger, started_at, finished_at, revision, counts)
     SELECT $1, id, $2, coalesce(syncing_since, now()), clock_timestamp(), $3, $4 FROM source WHERE id = $5
     ON CONFLICT (workflow_id) DO UPDATE SET revision = excluded.revision, counts = excluded.counts
      WHERE sync_run.revision IS DISTINCT FROM excluded.revision OR sync_run.counts IS NULL`,
    [syncWorkflowId(registry, source, run), trigger, revision ?? null, counts, sourceId],
  );
}
