import type { SourceFilter } from '#domain/source-filter.js';
import type { Queryable, RegistryPlace } from './page.js';

/** A source as it is stored, with what its sync runs amount to. */
export interface SourceRecord {
  readonly id: number;
  readonly name: string;
  /** The block of the spec. */
  readonly type: string;
  readonly format: string;
  readonly address: string;
  readonly intervalMs: number | null;
  readonly filter: SourceFilter | null;
  readonly createdAt: Date;
  /** When its spec last changed. */
  readonly updatedAt: Date;
  /** Start of a sync that is under way, as far as is known. */
  readonly syncingSince: Date | null;
  readonly revision: string | null;
  readonly contentHash: string | null;
  readonly servedCount: number;
  readonly hiddenCount: number;
  readonly quarantinedCount: number;
  /** When a sync last found the stored content to be the source's. */
  readonly syncedAt: Date | null;
  /** Start of the newest run that has finished. */
  readonly attemptedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Runs that failed since the last one that did not, as far as runs are kept. */
  readonly failedAttempts: number;
  /** Message of the newest run, if it failed. */
  readonly failureMessage: string | null;
  /** Reason of that failure, as in conditions. */
  readonly failureReason: string | null;
  /** It is tried again, sooner than the interval says. */
  readonly isRetried: boolean;
  /** Warning of the run that published what is stored. */
  readonly warning: string | null;
}

/** No sync takes longer: one that began before has died without a word. */
const LONGEST_SYNC = '1 hour';

/** The sources of a registry in the order of its spec; 20 at most. */
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
