import type { Client } from 'pg';

/** What is live of a source's rows. */
export interface StoredCounts {
  readonly served: number;
  /** Left out by the filter. */
  readonly hidden: number;
}

export const STORED_COUNTS = `
  count(*) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NULL)::int AS served,
  count(*) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NOT NULL)::int AS hidden`;

/** Reads every row of the source: what a publish knows already it should not ask for. */
export async function countEntries(client: Client, sourceId: number): Promise<StoredCounts> {
  const { rows } = await client.query<StoredCounts>(`SELECT ${STORED_COUNTS} FROM entry WHERE source_id = $1`, [
    sourceId,
  ]);
  return rows[0] as StoredCounts;
}
