import type { ClientBase } from '#persistence/client.js';
import { readCopy } from '#persistence/read-copy.js';
import type { CopiedRow } from '#persistence/read-copy.js';
import type { Pacer } from '#read-model/pacer.js';
import { SegmentBuilder } from '#read-model/segment-builder.js';
import type { Room } from '#read-model/segment-builder.js';
import type { Segment } from '#read-model/segment.js';
import type { StoredEntry } from '#read-model/stored-entry.js';
import { SERVED_DOCUMENT } from './served-document.js';

/** The columns, in the order in which {@link toEntry} reads them. */
const COLUMNS = `name, version, title, description, tags, facets, status, status_message,
  published_at, updated_at, status_changed_at, deleted_at, position, coalesce(is_latest, false) AS is_latest,
  foreign_meta IS NOT NULL AS has_foreign_meta, hidden_by IS NOT NULL AS hidden`;
/** Matches a snapshot in the notation of Postgres, which is the only variable part of these statements. */
const SNAPSHOT = /^\d+:\d+:[\d,]*$/;

/** Reads every entry of a source except those that the filter hides, which do not exist for clients. */
export async function readSource(client: ClientBase, sourceId: number, room: Room, pacer: Pacer): Promise<Segment> {
  const builder = new SegmentBuilder(sourceId, room);
  const query = `SELECT ${SERVED_DOCUMENT}, ${COLUMNS} FROM entry
                  WHERE source_id = ${sourceId} AND hidden_by IS NULL ORDER BY name, version`;
  // The primary key has them in this order. Without this, Postgres would sort all documents on disk.
  await without(client, ['enable_sort'], () =>
    readCopy(
      client,
      query,
      (row) => builder.add(toEntry(row)),
      () => pacer.rest(),
    ),
  );
  return builder.finish(pacer);
}

export interface SourceChanges {
  /** The current state of changed servers, with all their versions. */
  readonly segment: Segment;
  /** The names of changed servers, sorted by code point. Some may be absent from the segment, because they are gone. */
  readonly names: readonly string[];
}

/** Whether transactions that are not visible in the snapshot `seen` wrote more than `limit` rows. */
export async function hasMoreChanges(
  client: ClientBase,
  sourceId: number,
  seen: string,
  limit: number,
): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM entry WHERE source_id = ${sourceId} AND ${writtenSince(seen)} OFFSET ${limit} LIMIT 1`,
  );
  return rows.length > 0;
}

/**
 * Reads the current state of every server with a row written by a transaction that is not visible in the snapshot
 * `seen`.
 */
export async function readChanges(
  client: ClientBase,
  sourceId: number,
  seen: string,
  room: Room,
  pacer: Pacer,
): Promise<SourceChanges> {
  const builder = new SegmentBuilder(sourceId, room);
  const names: string[] = [];
  // Read all versions of a server, because a change of any version can change which one is the latest.
  const query = `SELECT CASE WHEN hidden_by IS NULL THEN ${SERVED_DOCUMENT} END, ${COLUMNS} FROM entry
                  WHERE source_id = ${sourceId}
                    AND name IN (SELECT name FROM entry WHERE source_id = ${sourceId} AND ${writtenSince(seen)})
                  ORDER BY name, version`;
  const take = (row: CopiedRow) => {
    const entry = toEntry(row);
    if (names.at(-1) !== entry.name) names.push(entry.name);
    if (!row.flag()) builder.add(entry);
  };
  // Look up each name by the index. Without this, Postgres would read all documents to find those of a few names.
  await without(client, ['enable_hashjoin', 'enable_mergejoin'], () =>
    readCopy(client, query, take, () => pacer.rest()),
  );
  return { segment: await builder.finish(pacer), names };
}

function writtenSince(seen: string): string {
  if (!SNAPSHOT.test(seen)) throw new Error(`"${seen}" is not a snapshot`);
  return `written_by >= pg_snapshot_xmin('${seen}')::text::bigint
          AND NOT pg_visible_in_snapshot(written_by::text::xid8, '${seen}')`;
}

/**
 * Runs a query with some planner settings switched off, because Postgres chooses them wrongly right after an import,
 * when its statistics do not include the new rows.
 */
async function without(client: ClientBase, settings: readonly string[], work: () => Promise<void>): Promise<void> {
  const set = (value: 'on' | 'off') => client.query(settings.map((name) => `SET LOCAL ${name} = ${value}`).join('; '));
  await set('off');
  await work();
  await set('on');
}

const NO_DOCUMENT = Buffer.alloc(0);

function toEntry(row: CopiedRow): StoredEntry {
  return {
    document: row.bytes() ?? NO_DOCUMENT,
    name: row.text(),
    version: row.text(),
    title: row.nullableText(),
    description: row.text(),
    tags: row.texts(),
    facets: row.texts(),
    status: row.text(),
    statusMessage: row.nullableText(),
    publishedAtMs: row.time(),
    updatedAtMs: row.time(),
    statusChangedAtMs: row.time(),
    deletedAtMs: row.nullableTime(),
    position: row.integer(),
    isMarkedLatest: row.flag(),
    hasForeignMeta: row.flag(),
  };
}
