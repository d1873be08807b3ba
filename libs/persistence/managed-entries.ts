import type { Client } from 'pg';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { copyEntries } from './copy-entries.js';
import { inTransaction } from './in-transaction.js';
import { notifyReaders } from './source-row.js';

/** A managed source, by its names. */
export interface ManagedPlace {
  readonly namespace: string;
  readonly registry: string;
  readonly source: string;
}

/** Why nothing was written. `absent`: there is no managed source of this name. */
export type PublishRefusal = 'exists' | 'deleted' | 'absent';
export type RemoveRefusal = 'unknown' | 'absent';

/** The last thing in a transaction that has written: it sees what readers are about to see, and its result is handed on. */
export type BeforeCommit<T> = (client: Client, sourceId: number) => Promise<T>;

/** Stores one version of one server, unless it is there or was; in one transaction, which readers hear of. */
export async function publishEntry<T>(
  client: Client,
  place: ManagedPlace,
  { entry, hash }: { readonly entry: CatalogueEntry; readonly hash: Buffer },
  beforeCommit: BeforeCommit<T>,
): Promise<{ readonly written: T } | PublishRefusal> {
  return inTransaction(client, async () => {
    const sourceId = await lockManaged(client, place);
    if (sourceId === undefined) return 'absent';
    const known = await client.query<{ deleted: boolean }>(
      `SELECT deleted_at IS NOT NULL AS deleted FROM entry WHERE source_id = $1 AND name = $2 AND version = $3`,
      [sourceId, entry.name, entry.version],
    );
    if (known.rows[0]) return known.rows[0].deleted ? 'deleted' : 'exists';
    await copyEntries(client, 'entry', only({ entry, hash }), { sourceId, hiddenBy: () => undefined });
    await countPublication(client, sourceId, place);
    return { written: await beforeCommit(client, sourceId) };
  });
}

/** Makes one version a tombstone, so that those who mirror this registry learn of it. */
export async function removeEntry<T>(
  client: Client,
  place: ManagedPlace,
  { name, version }: { readonly name: string; readonly version: string },
  beforeCommit: BeforeCommit<T>,
): Promise<{ readonly written: T } | RemoveRefusal> {
  return inTransaction(client, async () => {
    const sourceId = await lockManaged(client, place);
    if (sourceId === undefined) return 'absent';
    // Postgres refuses to look for what it cannot hold.
    if (`${name}${version}`.includes('\0')) return 'unknown';
    const { rowCount } = await client.query(
      `UPDATE entry SET deleted_at = now(), updated_at = now(), status_changed_at = now()
        WHERE source_id = $1 AND name = $2 AND version = $3 AND deleted_at IS NULL`,
      [sourceId, name, version],
    );
    if (!rowCount) return 'unknown';
    await countPublication(client, sourceId, place);
    return { written: await beforeCommit(client, sourceId) };
  });
}

async function lockManaged(client: Client, { namespace, registry, source }: ManagedPlace): Promise<number | undefined> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM source WHERE namespace = $1 AND registry = $2 AND name = $3 AND type = 'managed' FOR UPDATE`,
    [namespace, registry, source],
  );
  return rows[0]?.id;
}

async function countPublication(
  client: Client,
  sourceId: number,
  { namespace, registry }: ManagedPlace,
): Promise<void> {
  await client.query(
    `UPDATE source SET generation = generation + 1, synced_at = now(), served_count =
       (SELECT count(*) FROM entry WHERE source_id = $1 AND deleted_at IS NULL AND hidden_by IS NULL)
      WHERE id = $1`,
    [sourceId],
  );
  await notifyReaders(client, { namespace, name: registry });
}

async function* only<Item>(item: Item): AsyncGenerator<readonly Item[]> {
  yield [item];
}
