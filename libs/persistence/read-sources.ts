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
  readonly revision: string | null;
  readonly servedCount: number;
  readonly hiddenCount: number;
  readonly quarantinedCount: number;
  /** When a sync last found the stored content to be the source's. */
  readonly syncedAt: Date | null;
  /** Start of the newest run that has finished. */
  readonly attemptedAt: Date | null;
  /** Runs that failed since the last one that did not, as far as runs are kept. */
  readonly failedAttempts: number;
  /** Of the newest run, if that failed. */
  readonly failureMessage: string | null;
  /** Of the run that published what is stored. */
  readonly warning: string | null;
}

/** The sources of a registry in the order of its spec; 20 at most. */
export async function readSources(db: Queryable, { namespace, registry }: RegistryPlace): Promise<SourceRecord[]> {
  const { rows } = await db.query<SourceRecord>(
    `SELECT source.id, source.name, source.type, source.format, source.address,
            source.interval_ms::float8 AS "intervalMs", source.revision, source.served_count AS "servedCount",
            source.hidden_count AS "hiddenCount", source.quarantined_count AS "quarantinedCount",
            source.synced_at AS "syncedAt", newest.started_at AS "attemptedAt",
            newest.failure_message AS "failureMessage", published.warning,
            (SELECT count(*)::int FROM sync_run
              WHERE source_id = source.id AND failure_reason IS NOT NULL
                AND started_at > coalesce(success.started_at, '-infinity')) AS "failedAttempts"
       FROM source
       LEFT JOIN LATERAL (SELECT started_at, failure_message FROM sync_run
                           WHERE source_id = source.id
                           ORDER BY started_at DESC LIMIT 1) AS newest ON true
       LEFT JOIN LATERAL (SELECT started_at FROM sync_run
                           WHERE source_id = source.id AND failure_reason IS NULL
                           ORDER BY started_at DESC LIMIT 1) AS success ON true
       LEFT JOIN LATERAL (SELECT warning FROM sync_run
                           WHERE source_id = source.id AND counts IS NOT NULL
                           ORDER BY started_at DESC LIMIT 1) AS published ON true
      WHERE source.namespace = $1 AND source.registry = $2
      ORDER BY source.position, source.name`,
    [namespace, registry],
  );
  return rows;
}
