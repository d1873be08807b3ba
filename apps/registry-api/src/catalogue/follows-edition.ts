import type { ClientBase } from '#persistence/client.js';

/** The last editions of a source, oldest first, each with the transaction that created it. */
export interface EditionHistory {
  readonly editions: readonly string[];
  readonly editionWriters: readonly string[];
}

/**
 * Returns whether all editions of a source after the known one were created by transactions that are not visible in
 * `seen`, the snapshot of the known edition. If not, the rows of these transactions do not contain all changes. That
 * happens after a restore or a failover that lost data, because transaction ids are then reused.
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
