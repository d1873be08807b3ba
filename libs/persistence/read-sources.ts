import type { SourceFilter } from '#domain/source-filter.js';
import type { Queryable, RegistryPlace } from './page.js';

/** A stored source with a summary of its sync runs. */
export interface SourceRecord {
  readonly id: number;
  readonly name: string;
  /** Name of the block in the spec. */
  readonly type: string;
  readonly format: string;
  readonly address: string;
  readonly intervalMs: number | null;
  readonly filter: SourceFilter | null;
  readonly createdAt: Date;
  /** Time at which the spec of the source last changed. */
  readonly updatedAt: Date;
  /** Start of the sync that is in progress, as far as known. */
  readonly syncingSince: Date | null;
  readonly revision: string | null;
  readonly contentHash: string | null;
  readonly servedCount: number;
  readonly hiddenCount: number;
  readonly quarantinedCount: number;
  /** Time at which a sync last confirmed that the stored content is the current content of the source. */
  readonly syncedAt: Date | null;
  /** Start of the newest run that has finished. */
  readonly attemptedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Number of failed runs since the last successful one, among the runs that are kept. */
  readonly failedAttempts: number;
  /** Error message of the newest run, if it failed. */
  readonly failureMessage: string | null;
  /** Reason of the failure, as in conditions. */
  readonly failureReason: string | null;
  /** Whether a retry is scheduled before the next interval. */
  readonly isRetried: boolean;
  /** Warning of the run that published the stored content. */
  readonly warning: string | null;
}

/** Maximum duration of a sync. A sync that started earlier has been lost without a result. */
const LONGEST_SYNC = '1 hour';

/** Returns the sources of a registry in the order of its spec, at most 20. */
export async function readSources(db: Queryable, { namespace, registry }: RegistryPlace): Promise<SourceRecord[]> {
  const { rows } = await db.query<SourceRecord>(
    `SELECT source.id, source.name, source.type, source.format, source.address,
            source.interval_ms::float8 AS "intervalMs", source.filter::json AS filter,
            source.created_at AS "createdAt", source.updated_at AS "updatedAt",
            CASE WHEN source.syncing_since > now() - interval '${LONGEST_SYNC}' THEN source.syncing_since END
              AS "syncingSince", source.revision, source.content_hash AS "contentHash", source.served_count AS "servedCount",
            source.hidden_count AS "hiddenCount", source.quarantined_count AS "quarantinedCount",
            source.synced_at AS "syncedAt", newest.started_at AS "attemptedAt",
            newest.finished_at AS "finishedAt", newest.failure_destiny IS NOT DISTINCT FROM 'retry' AS "isRetried",
            newest.failure_message AS "failureMessage", newest.failure_reason AS "failureReason", published.warning,
            (SELECT count(*)::int FROM sync_run
              WHERE source_id = source.id AND failure_reason IS NOT NULL
                AND started_at > coalesce(success.started_at, '-infinity')) AS "failedAttempts"
       FROM source
       LEFT JOIN LATERAL (SELECT started_at, finished_at, failure_message, failure_reason, failure_destiny FROM sync_run
                           WHERE source_id = source.id
                           ORDER BY started_at DESC LIMIT 1) AS newest ON true
       LEFT JOIN LATERAL (SELECT started_at FROM sync_run
                           WHERE source_id = source.id AND failure_reason IS NULL
                           ORDER BY started_at DESC LIMIT 1) AS success ON true
       LEFT JOIN LATERAL (SELECT warning FROM sync_run
                           WHERE source_id = source.id AND counts IS NOT NULL
                           ORDER BY started_at DESC LIMIT 1) AS published ON true
      WHERE source.namespace = $1 AND source.registry = $2 AND source.left_at IS NULL
      ORDER BY source.position, source.name`,
    [namespace, registry],
  );
  return rows;
}
