import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { NothingServable } from '#domain/nothing-servable.js';
import type { EntryCounts } from '#domain/sync.js';
import { copyEntries } from './copy-entries.js';
import type { CopyContext, PublishedItem } from './copy-entries.js';
import { filterStored } from './filter-stored.js';
import { holdQuarantined } from './hold-quarantined.js';
import { inTransaction } from './in-transaction.js';
import { KnownEntries } from './known-entries.js';
import { recordPublication } from './record-publication.js';
import { publishQuarantine } from './publish-quarantine.js';
import { refuseShrinking } from './shrink-guard.js';
import { confirmSource, lockSource, notifyReaders } from './source-row.js';
import { spaceUpdates } from './space-updates.js';
import { writeChanges } from './write-changes.js';
import type { Changes } from './write-changes.js';
import type { Publication } from './publication.js';

export interface Published {
  readonly revision: string;
  readonly contentHash: string;
  readonly counts: EntryCounts;
}

/**
 * Replaces the stored entries of one source in one transaction, so that readers see the old revision or the new one,
 * but never a mixture. Only rows that differ are written. Removed entries become tombstones, and the last good version
 * of a quarantined entry is kept. Idempotent. On any failure, the old entries are kept. If no entry of the revision can
 * be served, its quarantine still replaces the old one.
 */
export async function publishRevision(client: Client, publication: Publication): Promise<Published> {
  const found: QuarantinedEntry[] = [];
  const read: Publication['read'] = (claimKnown) => noteQuarantined(publication.read(claimKnown), found);
  try {
    return await publish(client, { ...publication, read });
  } catch (error) {
    if (error instanceof NothingServable) await publishQuarantine(client, publication, found);
    throw error;
  }
}

async function* noteQuarantined(
  batches: AsyncIterable<readonly PublishedItem[]>,
  found: QuarantinedEntry[],
): AsyncGenerator<readonly PublishedItem[]> {
  for await (const items of batches) {
    for (const item of items) if ('quarantined' in item) found.push(item.quarantined);
    yield items;
  }
}

function publish(client: Client, publication: Publication): Promise<Published> {
  return inTransaction(client, async () => {
    const { registry, filterHash, isWhole, hiddenBy } = publication;
    const sourceId = await lockSource(client, publication);
    const remarked = await filterStored(client, sourceId, filterHash, hiddenBy);
    const context = { sourceId, hiddenBy };
    const known = await KnownEntries.load(client, sourceId);
    const changes =
      isWhole && known.isEmpty
        ? await insertAll(client, publication, context)
        : await writeChanges(client, publication, context, known);
    const counts = toCounts(changes, await holdQuarantined(client, sourceId, isWhole, changes.quarantined));
    refuseUnservable(publication, counts, changes);
    const contentHash = publication.contentHash ?? (await hashOfEntries(client, sourceId));
    const revision = publication.revision ?? contentHash.slice(0, 16);
    await refuseShrinking(client, sourceId, { ...publication, revision }, { ...counts, lost: changes.lost });
    const isChanged = remarked + changes.rows > 0;
    if (isChanged) await spaceUpdates(client, sourceId, changes.undatedNames);
    await confirmSource(client, sourceId, publication);
    await recordRevision(client, sourceId, { ...publication, revision, contentHash, isChanged }, counts);
    await recordPublication(client, sourceId, publication, { revision, counts });
    await notifyReaders(client, registry);
    return { revision, contentHash, counts };
  });
}

/** Throws NothingServable if only quarantined entries are left of the source, unless the revision removed entries. */
function refuseUnservable(
  { dataLabel, isWhole }: Publication,
  { served, hidden, quarantined, removed }: EntryCounts,
  changes: Changes,
): void {
  if (dataLabel === undefined || !isWhole || served + hidden + removed > 0 || quarantined === 0) return;
  const held = changes.quarantined.filter(({ lifecycle }) => lifecycle?.status !== 'deleted');
  throw new NothingServable(dataLabel, held, quarantined);
}

/**
 * Inserts the first revision of a source directly into the table, because the staging table would require every row to
 * be copied twice.
 */
async function insertAll(client: Client, { read }: Publication, context: CopyContext): Promise<Changes> {
  const { rows, served, hidden, reading, quarantined, times } = await copyEntries(
    client,
    'entry',
    read(() => false),
    context,
  );
  const added = served + hidden;
  const stored = { served, hidden };
  const undatedNames = [...times.scatteredNames];
  return { stored, added, updated: 0, removed: 0, lost: [], rows, reading, quarantined, undatedNames };
}

function toCounts({ stored, added, updated, removed, reading }: Changes, quarantined: number): EntryCounts {
  const unchanged = Math.max(0, stored.served + stored.hidden - added - updated);
  const { nullsDropped, versionsAssumed } = reading;
  return {
    ...stored,
    quarantined,
    added,
    updated,
    removed,
    unchanged,
    ...(nullsDropped > 0 && { nullsDropped }),
    ...(versionsAssumed > 0 && { versionsAssumed }),
  };
}

/** Returns the SHA-256 over the hashes of all stored entries that are not deleted, sorted by name and version. */
async function hashOfEntries(client: Client, sourceId: number): Promise<string> {
  const { rows } = await client.query<{ hash: string }>(
    `SELECT encode(sha256(coalesce(string_agg(hash, '' ORDER BY name, version), '')), 'hex') AS hash
       FROM entry WHERE source_id = $1 AND deleted_at IS NULL`,
    [sourceId],
  );
  return (rows[0] as { hash: string }).hash;
}

async function recordRevision(
  client: Client,
  sourceId: number,
  published: Publication & Pick<Published, 'revision' | 'contentHash'> & { readonly isChanged: boolean },
  counts: EntryCounts,
): Promise<void> {
  await client.query(
    `UPDATE source SET revision = $2, content_hash = $3, spec_hash = $4, filter_hash = $5, synced_filter_hash = $5, synced_at = now(),
            served_count = $6, hidden_count = $7, quarantined_count = $8, generation = generation + $12::int,
            latest_update = CASE WHEN $11 THEN $9 ELSE coalesce($9, latest_update) END, etag = $10,
            swept_at = CASE WHEN $11 THEN now() ELSE swept_at END,
            held_revision = NULL, held_trigger = NULL, held_removals = NULL, held_confirmed = false, quarantine_refused = false
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
      Number(published.isChanged),
    ],
  );
}
