import { PUBLISHED_TYPE } from '#domain/published-type.js';
import type { Client } from 'pg';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { copyEntries } from './copy-entries.js';
import { inTransaction } from './in-transaction.js';
import { notifyReaders } from './source-row.js';
import { spaceUpdates } from './space-updates.js';

/** Identifies a managed source by names. */
export interface ManagedPlace {
  readonly namespace: string;
  readonly registry: string;
  readonly source: string;
  /** The uid of the registry. Nothing is written if what is stored belongs to another uid. */
  readonly uid?: string | undefined;
}

/** The publishing caller, as identified by an identity provider. */
export interface Publisher {
  readonly provider: string;
  readonly subject: string;
}

export interface PublishedVersion {
  readonly entry: CatalogueEntry;
  /** SHA-256 of the bytes as received. */
  readonly hash: Buffer;
}

/** The lifecycle statuses of an entry in the generic registry API. */
export const LIFECYCLE_STATUSES = ['active', 'deprecated', 'deleted'] as const;

export interface StatusChange {
  readonly status: (typeof LIFECYCLE_STATUSES)[number];
  readonly statusMessage: string | null;
}

/**
 * The reason why nothing was written. `absent`: there is no managed source with this name. `full`: the server has
 * {@link MOST_VERSIONS} versions.
 */
export type PublishRefusal = 'exists' | 'deleted' | 'absent' | 'full';
export type ChangeRefusal = 'unknown' | 'unchanged' | 'absent' | 'too-large';

/**
 * Maximum number of versions of a server in a managed source, deleted ones included, because each publication and each
 * list of its versions costs time for all of them. The official registry has the same limit.
 */
export const MOST_VERSIONS = 10_000;

/**
 * Maximum size of one change of several versions, because their documents are in memory together and the transaction
 * keeps other publications waiting.
 */
export const MOST_CHANGED_VERSIONS = 100;
export const MOST_CHANGED_BYTES = 8 * 1024 ** 2;

/**
 * Called at the end of a transaction, where it sees the state that readers will see after the commit. Its result is
 * returned to the caller.
 */
export type BeforeCommit<T> = (client: Client, sourceId: number) => Promise<T>;

/**
 * Stores one version of a server, unless it exists or existed before. Does so in one transaction, which notifies
 * readers.
 */
export async function publishEntry<T>(
  client: Client,
  place: ManagedPlace,
  { entry, hash }: PublishedVersion,
  { provider, subject }: Publisher,
  beforeCommit: BeforeCommit<T>,
): Promise<{ readonly written: T } | PublishRefusal> {
  return inTransaction(client, async () => {
    const sourceId = await lockManaged(client, place);
    if (sourceId === undefined) return 'absent';
    const key = [sourceId, entry.name, entry.version];
    const known = await client.query<{ deleted: boolean }>(
      'SELECT deleted_at IS NOT NULL AS deleted FROM entry WHERE source_id = $1 AND name = $2 AND version = $3',
      key,
    );
    if (known.rows[0]) return known.rows[0].deleted ? 'deleted' : 'exists';
    const last = await client.query(
      `SELECT FROM entry WHERE source_id = $1 AND name = $2 OFFSET ${MOST_VERSIONS - 1} LIMIT 1`,
      [sourceId, entry.name],
    );
    if (last.rows.length > 0) return 'full';
    await copyEntries(client, 'entry', only({ entry, hash }), { sourceId, hiddenBy: () => undefined });
    await client.query(
      `UPDATE entry SET publisher_provider = $4, publisher_subject = $5
        WHERE source_id = $1 AND name = $2 AND version = $3`,
      [...key, provider, subject],
    );
    await countPublication(client, sourceId, place);
    return { written: await beforeCommit(client, sourceId) };
  });
}

/**
 * Sets the status of one version of a server, or of all its versions, in one transaction, which notifies readers. A
 * deleted version is kept as a tombstone, so that mirrors learn of the deletion; another status restores it.
 * `beforeCommit` receives the changed versions. Returns `too-large` and writes nothing if several versions would change
 * and these exceed {@link MOST_CHANGED_VERSIONS} or {@link MOST_CHANGED_BYTES}.
 */
export async function changeStatus<T>(
  client: Client,
  place: ManagedPlace,
  { name, version }: { readonly name: string; readonly version?: string },
  { status, statusMessage }: StatusChange,
  beforeCommit: (client: Client, sourceId: number, versions: readonly string[]) => Promise<T>,
): Promise<{ readonly written: T } | ChangeRefusal> {
  return inTransaction(client, async () => {
    const sourceId = await lockManaged(client, place);
    if (sourceId === undefined) return 'absent';
    // Postgres cannot store a NUL and rejects it in queries.
    if (`${name}${version ?? ''}`.includes('\0')) return 'unknown';
    const { rows } = await client.query<{ version: string; differs: boolean; bytes: number }>(
      `SELECT version, octet_length(server_json) + coalesce(octet_length(foreign_meta), 0) AS bytes,
              (CASE WHEN deleted_at IS NULL THEN status ELSE 'deleted' END, status_message)
                         IS DISTINCT FROM ($4::text, $5::text) AS differs
         FROM entry WHERE source_id = $1 AND name = $2 AND version = coalesce($3, version) ORDER BY version`,
      [sourceId, name, version ?? null, status, statusMessage],
    );
    if (rows.length === 0) return 'unknown';
    const changed = rows.filter(({ differs }) => differs);
    if (changed.length === 0) return 'unchanged';
    if (isTooLarge(changed)) return 'too-large';
    const versions = changed.map((row) => row.version);
    await client.query(
      `UPDATE entry
          SET status = CASE WHEN $4 = 'deleted' THEN status ELSE $4 END, status_message = $5, updated_at = now(),
              deleted_at = CASE WHEN $4 = 'deleted' THEN coalesce(deleted_at, now()) END,
              status_changed_at = CASE WHEN CASE WHEN deleted_at IS NULL THEN status ELSE 'deleted' END = $4
                                       THEN status_changed_at ELSE now() END
        WHERE source_id = $1 AND name = $2 AND version = ANY ($3::text[])`,
      [sourceId, name, versions, status, statusMessage],
    );
    await spaceUpdates(client, sourceId);
    await countPublication(client, sourceId, place);
    return { written: await beforeCommit(client, sourceId, versions) };
  });
}

function isTooLarge(changed: readonly { readonly bytes: number }[]): boolean {
  const bytes = changed.reduce((sum, each) => sum + each.bytes, 0);
  return changed.length > 1 && (changed.length > MOST_CHANGED_VERSIONS || bytes > MOST_CHANGED_BYTES);
}

async function lockManaged(
  client: Client,
  { namespace, registry, source, uid }: ManagedPlace,
): Promise<number | undefined> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM source
      WHERE namespace = $1 AND registry = $2 AND name = $3 AND type = $4 AND left_at IS NULL
        AND EXISTS (SELECT FROM registry
                     WHERE registry.namespace = $1 AND registry.name = $2 AND registry.uid::text = coalesce($5, registry.uid::text))
        FOR UPDATE`,
    [namespace, registry, source, PUBLISHED_TYPE, uid ?? null],
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
