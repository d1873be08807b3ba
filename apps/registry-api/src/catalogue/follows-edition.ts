import type { ClientBase } from '#persistence/client.js';

/** The last editions of a source, oldest first, each with the transaction that created it. */
export interface EditionHistory {
  readonly editions: readonly string[];
  readonly editionWriters: readonly string[];
}

/**
 * Returns whether all editions of a source after the known one were created by transactions that are not visible in
 * `seen`, the snapshot of the known edition. Only then do the rows of these transactions contain all changes. The
 * result is false if the database was reset in between, by a restore or a lossy failover, after which transaction ids
 * are reused.
 */
export async function followsEdition(
  client: ClientBase,
  { editions, editionWriters }: EditionHistory,
  { edition, seen }: { readonly edition: string; readonly seen: string },
): Promise<boolean> {
  const at = editions.indexOf(edition);
  if (at < 0) return false;
  const { rows } = await client.query<{ isSeen: boolean }>(
    `SELECT coalesce(bool_or(pg_visible_in_snapshot(writer::text::xid8, $2::pg_snapshot)), false) AS "isSeen"
       FROM unnest($1::bigint[]) AS writer`,
    [editionWriters.slice(at + 1), seen],
  );
  return rows[0]?.isSeen === false;
}
