import type { Client } from 'pg';

/** Number of live rows of a source. */
export interface StoredCounts {
  readonly served: number;
  /** Number of entries that the filter excludes. */
  readonly hidden: number;
}

export const STORED_COUNTS = `
  count(*) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NULL)::int AS served,
  count(*) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NOT NULL)::int AS hidden`;

/**
 * Counts the live rows of a source. Reads every row, so a publication that already knows the numbers should not call
 * this.
 */
export async function countEntries(client: Client, sourceId: number): Promise<StoredCounts> {
  const { rows } = await client.query<StoredCounts>(`SELECT ${STORED_COUNTS} FROM entry WHERE source_id = $1`, [
    sourceId,
  ]);
  return rows[0] as StoredCounts;
}
