import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { FilterRule } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import { copyBinary } from './copy-binary.js';
import type { CopyValue } from './copy-binary.js';
import { countEntries } from './count-entries.js';
import { filterStored } from './filter-stored.js';
import { inTransaction } from './in-transaction.js';
import { KnownEntries } from './known-entries.js';
import { refuseShrinking } from './shrink-guard.js';
import { lockSource, notifyReaders } from './source-row.js';

/** What a source's rows are replaced by. */
export interface Publication {
  readonly registry: RegistryRef;
  readonly source: string;
  /** As the source names it; absent when its content is its only name. */
  readonly revision?: string;
  /** Of the whole file; absent: it is computed from the entries. */
  readonly contentHash?: string;
  readonly specHash: string;
  readonly filterHash: string;
  /** Equal bytes would be read as the stored entries were: by the same format and version of the reader. */
  readonly readAlike: boolean;
  /** What is given is all there is; otherwise what changed, and the rest stays as it is. */
  readonly isWhole: boolean;
  /** The user has consented to what this revision removes, however much it is; undefined: to none. */
  readonly confirmedRevision?: string;
  readonly hiddenBy: FilterRule;
  /** For the next look at a source that is read page by page. */
  readonly mark?: { readonly latestUpdate: string | null; readonly etag: string | null };
  /** The revision, some entries at a time; what `claimKnown` says to be stored already need not even be parsed. */
  read(claimKnown: (hash: string) => boolean): AsyncIterable<readonly PublishedItem[]>;
}

export type PublishedItem =
  | { readonly entry: CatalogueEntry; readonly hash: Buffer }
  | { readonly quarantined: QuarantinedEntry }
  | { readonly known: true };

export interface Published {
  readonly revision: string;
  readonly contentHash: string;
  readonly counts: EntryCounts;
}

/** A tombstone tells mirrors of a removal; who has not asked for this long starts over anyway. */
const TOMBSTONE_LIFETIME = '90 days';

/** With their types, in the order of {@link toRow}. */
const COLUMN_TYPES = {
  name: 'text COLLATE "C"',
  version: 'text COLLATE "C"',
  key: 'text',
  hash: 'bytea',
  server_json: 'text',
  title: 'text',
  description: 'text',
  tags: 'text[]',
  facets: 'text[]',
  status: 'text',
  status_message: 'text',
  hidden_by: 'text',
  published_at: 'timestamptz',
  deleted_at: 'timestamptz',
};
const COLUMNS = Object.keys(COLUMN_TYPES).join(', ');

/**
 * Replaces the stored entries of one source in one transaction: readers see the old revision or the new one, never a
 * mixture. Only rows that differ are written. Removed entries become tombstones; the last good version of a quarantined
 * entry stays. Safe to repeat. On any failure the old entries stay.
 */
export async function publishRevision(client: Client, publication: Publication): Promise<Published> {
  return inTransaction(client, async () => {
    const { registry, source, filterHash, hiddenBy } = publication;
    const sourceId = await lockSource(client, registry, source);
    await filterStored(client, sourceId, filterHash, hiddenBy);
    const now = await transactionTime(client);
    const known = await KnownEntries.load(client, sourceId);
    const changes = known.isEmpty
      ? await insertAll(client, sourceId, publication, now)
      : await writeChanges(client, sourceId, publication, known, now);
    await replaceQuarantine(client, sourceId, changes.quarantined);
    const { added, updated, removed } = changes;
    const counts = await countEntries(client, sourceId, { added, updated, removed });
    const contentHash = publication.contentHash ?? (await hashOfEntries(client, sourceId));
    const revision = publication.revision ?? contentHash.slice(0, 16);
    const isConsented = !publication.readAlike || publication.confirmedRevision === revision;
    if (!isConsented) await refuseShrinking(client, sourceId, revision, counts);
    await recordRevision(client, sourceId, { ...publication, revision, contentHash }, counts);
    await notifyReaders(client, registry);
    return { revision, contentHash, counts };
  });
}

/** As the columns' defaults have it: what is published together has one time. */
async function transactionTime(client: Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('SELECT now()::timestamptz(3) AS now');
  return (rows[0] as { now: Date }).now;
}

interface Changes {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly quarantined: readonly QuarantinedEntry[];
}

/** The first revision of a source goes straight into the table: staging it would copy everything twice. */
async function insertAll(client: Client, sourceId: number, publication: Publication, now: Date): Promise<Changes> {
  const quarantined: QuarantinedEntry[] = [];
  const live = { count: 0 };
  const rows = toRows(
    publication.read(() => false),
    publication.hiddenBy,
    quarantined,
    live,
    now,
    sourceId,
  );
  await copy(client, `entry (source_id, ${COLUMNS})`, rows);
  return { added: live.count, updated: 0, removed: 0, quarantined };
}

/** Writes what is new or differs, and buries what is there no more. */
async function writeChanges(
  client: Client,
  sourceId: number,
  publication: Publication,
  known: KnownEntries,
  now: Date,
): Promise<Changes> {
  const quarantined: QuarantinedEntry[] = [];
  const columns = Object.entries(COLUMN_TYPES).map(([name, type]) => `${name} ${type}`);
  await client.query(`CREATE TEMP TABLE staged_entry (${columns.join(', ')}) ON COMMIT DROP`);
  const items = publication.read((hash) => publication.readAlike && known.claim(hash));
  await copy(client, `staged_entry (${COLUMNS})`, toRows(items, publication.hiddenBy, quarantined, { count: 0 }, now));
  await client.query('ANALYZE staged_entry');
  if (publication.isWhole) quarantined.push(...(await takeOutDoubles(client, sourceId, known)));
  const { added, updated, removed } = await applyStaged(client, sourceId);
  const buried = publication.isWhole
    ? await buryMissing(client, sourceId, known.leftOver(), quarantined)
    : await buryTakenBack(client, sourceId, quarantined);
  await client.query('DELETE FROM entry WHERE source_id = $1 AND deleted_at < now() - $2::interval', [
    sourceId,
    TOMBSTONE_LIFETIME,
  ]);
  return { added, updated, removed: removed + buried, quarantined };
}

async function* toRows(
  batches: AsyncIterable<readonly PublishedItem[]>,
  hiddenBy: FilterRule,
  quarantined: QuarantinedEntry[],
  live: { count: number },
  now: Date,
  ...head: CopyValue[]
): AsyncGenerator<CopyValue[][]> {
  for await (const items of batches) {
    const rows: CopyValue[][] = [];
    for (const item of items) {
      if ('quarantined' in item) quarantined.push(item.quarantined);
      else if ('entry' in item) rows.push([...head, ...toRow(item.entry, item.hash, hiddenBy, now)]);
    }
    for (const row of rows) if (row.at(-1) === null) live.count++;
    yield rows;
  }
}

function toRow(entry: CatalogueEntry, hash: Buffer, hiddenBy: FilterRule, now: Date): CopyValue[] {
  const { lifecycle } = entry;
  const isDeleted = lifecycle?.status === 'deleted';
  return [
    entry.name,
    entry.version,
    entry.key,
    hash,
    entry.serverJson,
    entry.title ?? null,
    entry.description,
    entry.tags,
    entry.facets,
    entry.status,
    lifecycle?.statusMessage ?? null,
    hiddenBy(entry) ?? null,
    lifecycle?.publishedAt === undefined ? now : new Date(lifecycle.publishedAt),
    isDeleted ? now : null,
  ];
}

/** Entries are read while the server is busy with earlier ones: otherwise the two would only take turns. */
const CHUNKS_AHEAD = 32;

async function copy(client: Client, into: string, rows: AsyncIterable<CopyValue[][]>): Promise<void> {
  const sink = client.query(copyFrom(`COPY ${into} FROM STDIN (FORMAT binary)`));
  await pipeline(Readable.from(copyBinary(rows), { highWaterMark: CHUNKS_AHEAD }), sink);
}

/**
 * An entry that was skipped because it is stored has no name until here: one that is new under the same name and
 * version comes too late, as a second one of the same file does.
 */
async function takeOutDoubles(client: Client, sourceId: number, known: KnownEntries): Promise<QuarantinedEntry[]> {
  const { rows } = await client.query<{ key: string; name: string; version: string; hash: Buffer }>(
    `SELECT staged.key, staged.name, staged.version, entry.hash
       FROM staged_entry AS staged JOIN entry USING (name, version)
      WHERE entry.source_id = $1 AND entry.deleted_at IS NULL`,
    [sourceId],
  );
  const doubles = rows.filter(({ hash }) => !known.isLeftOver(hash));
  if (doubles.length === 0) return [];
  await client.query(
    `DELETE FROM staged_entry AS staged USING unnest($1::text[], $2::text[]) AS double (name, version)
      WHERE staged.name = double.name AND staged.version = double.version`,
    [doubles.map(({ name }) => name), doubles.map(({ version }) => version)],
  );
  return doubles.map(({ key, name, version }) => ({
    key,
    name,
    version,
    path: '',
    message: `is there twice: another entry is called ${name} ${version} too`,
  }));
}

async function applyStaged(
  client: Client,
  sourceId: number,
): Promise<{ added: number; updated: number; removed: number }> {
  const { rows } = await client.query<{ added: number; updated: number; removed: number }>(
    `WITH written AS (
       INSERT INTO entry AS stored (source_id, ${COLUMNS})
       SELECT $1, ${COLUMNS} FROM staged_entry
       ON CONFLICT (source_id, name, version) DO UPDATE
          SET (key, hash, server_json, title, description, tags, facets, status, status_message, hidden_by,
               deleted_at) =
              (excluded.key, excluded.hash, excluded.server_json, excluded.title, excluded.description, excluded.tags,
               excluded.facets, excluded.status, excluded.status_message, excluded.hidden_by, excluded.deleted_at),
              updated_at = now(),
              status_changed_at = CASE WHEN stored.status = excluded.status
                                        AND (stored.deleted_at IS NULL) = (excluded.deleted_at IS NULL)
                                       THEN stored.status_changed_at ELSE now() END
        WHERE (stored.hash, stored.key, stored.server_json, stored.tags, stored.facets, stored.status)
              <> (excluded.hash, excluded.key, excluded.server_json, excluded.tags, excluded.facets, excluded.status)
           OR (stored.hidden_by, stored.status_message)
              IS DISTINCT FROM (excluded.hidden_by, excluded.status_message)
           OR (stored.deleted_at IS NULL) <> (excluded.deleted_at IS NULL)
       RETURNING stored.xmax = 0 AS inserted, stored.deleted_at IS NOT NULL AS deleted)
     SELECT count(*) FILTER (WHERE inserted AND NOT deleted)::int AS added,
            count(*) FILTER (WHERE NOT inserted AND NOT deleted)::int AS updated,
            count(*) FILTER (WHERE NOT inserted AND deleted)::int AS removed
       FROM written`,
    [sourceId],
  );
  return rows[0] as { added: number; updated: number; removed: number };
}

/** What is stored, was not seen and was not overwritten is gone, unless its new version is held in quarantine. */
async function buryMissing(
  client: Client,
  sourceId: number,
  leftOver: readonly Buffer[],
  quarantined: readonly QuarantinedEntry[],
): Promise<number> {
  const held = quarantined.filter((entry) => entry.lifecycle?.status !== 'deleted');
  const { rowCount } = await client.query(
    `UPDATE entry SET deleted_at = now(), updated_at = now(), status_changed_at = now()
      WHERE source_id = $1 AND deleted_at IS NULL AND hash = ANY ($4::bytea[])
        AND NOT EXISTS (SELECT FROM staged_entry AS staged
                         WHERE staged.name = entry.name AND staged.version = entry.version)
        AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS held (key, version)
                         WHERE held.key = entry.key AND (held.version IS NULL OR held.version = entry.version))`,
    [sourceId, held.map(({ key }) => key), held.map(({ version }) => version ?? null), leftOver],
  );
  return rowCount ?? 0;
}

/** What its registry has taken back goes, even when it does not say so in a form that could be stored. */
async function buryTakenBack(
  client: Client,
  sourceId: number,
  quarantined: readonly QuarantinedEntry[],
): Promise<number> {
  const gone = quarantined.filter((entry) => entry.lifecycle?.status === 'deleted');
  if (gone.length === 0) return 0;
  const { rowCount } = await client.query(
    `UPDATE entry SET deleted_at = now(), updated_at = now(), status_changed_at = now()
       FROM unnest($2::text[], $3::text[]) AS gone (name, version)
      WHERE entry.source_id = $1 AND entry.deleted_at IS NULL
        AND entry.name = gone.name AND entry.version = gone.version`,
    [sourceId, gone.map(({ name }) => name ?? ''), gone.map(({ version }) => version ?? '')],
  );
  return rowCount ?? 0;
}

/** SHA-256 over what is stored and not deleted, in the order of names and versions. */
async function hashOfEntries(client: Client, sourceId: number): Promise<string> {
  const { rows } = await client.query<{ hash: string }>(
    `SELECT encode(sha256(coalesce(string_agg(hash, '' ORDER BY name, version), '')), 'hex') AS hash
       FROM entry WHERE source_id = $1 AND deleted_at IS NULL`,
    [sourceId],
  );
  return (rows[0] as { hash: string }).hash;
}

async function replaceQuarantine(client: Client, sourceId: number, held: readonly QuarantinedEntry[]): Promise<void> {
  await client.query('DELETE FROM quarantined_entry WHERE source_id = $1', [sourceId]);
  if (held.length === 0) return;
  await client.query(
    `INSERT INTO quarantined_entry (source_id, key, name, version, path, message)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])`,
    [
      sourceId,
      held.map(({ key }) => key),
      held.map(({ name }) => name ?? null),
      held.map(({ version }) => version ?? null),
      held.map(({ path }) => path),
      held.map(({ message }) => message),
    ],
  );
}

async function recordRevision(
  client: Client,
  sourceId: number,
  published: Publication & { readonly revision: string; readonly contentHash: string },
  counts: EntryCounts,
): Promise<void> {
  await client.query(
    `UPDATE source SET revision = $2, content_hash = $3, spec_hash = $4, filter_hash = $5, synced_at = now(),
            served_count = $6, hidden_count = $7, quarantined_count = $8, generation = generation + 1,
            latest_update = coalesce($9, latest_update), etag = $10,
            swept_at = CASE WHEN $11 THEN now() ELSE swept_at END
      WHERE id = $1`,
    [
      sourceId,
      published.revision,
      published.contentHash,
      published.specHash,
      published.filterHash,
      counts.served,
      counts.hidden,
      counts.quarantined,
      published.mark?.latestUpdate ?? null,
      published.mark?.etag ?? null,
      published.isWhole,
    ],
  );
}
