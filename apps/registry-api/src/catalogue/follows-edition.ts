import type { ClientBase } from '#persistence/client.js';

/** The last editions of a source, the newest last, each with the transaction that made it. */
export interface EditionHistory {
  readonly editions: readonly string[];
  readonly editionWriters: readonly string[];
}

/**
 * Returns true if a source came from the edition that is known to what it holds now by transactions that `seen`, the snapshot
 * of the known edition, does not show: only then do the rows of these transactions tell all that changed. It did not if the
 * database was set back in between, by a restore or a lossy failover, which uses transaction ids again.
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
