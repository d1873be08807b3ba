import type { EntryCounts } from '#domain/sync.js';
import { toPage } from './page.js';
import type { Page, PageRequest, Queryable } from './page.js';

export interface SyncRunRecord {
  readonly workflowId: string;
  readonly trigger: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly revision: string | null;
  /** Null if nothing was published. */
  readonly counts: EntryCounts | null;
  readonly warning: string | null;
  readonly failureReason: string | null;
  readonly failureMessage: string | null;
}

export interface SyncRunPlace {
  readonly startedAt: Date;
  readonly workflowId: string;
}

/** Returns a page of the finished runs of one source, newest first. */
export async function readSyncRuns(
  db: Queryable,
  sourceId: number,
  { after, limit }: PageRequest<SyncRunPlace>,
): Promise<Page<SyncRunRecord, SyncRunPlace>> {
  const { rows } = await db.query<SyncRunRecord>(
    `SELECT workflow_id AS "workflowId", trigger, started_at AS "startedAt", finished_at AS "finishedAt", revision,
            counts, warning, failure_reason AS "failureReason", failure_message AS "failureMessage"
       FROM sync_run
      WHERE source_id = $1 AND (started_at, workflow_id COLLATE "C") < ($2, $3)
      ORDER BY started_at DESC, workflow_id COLLATE "C" DESC LIMIT $4`,
    [sourceId, after?.startedAt ?? 'infinity', after?.workflowId ?? '', limit + 1],
  );
  return toPage(rows, limit, ({ startedAt, workflowId }) => ({ startedAt, workflowId }));
}
