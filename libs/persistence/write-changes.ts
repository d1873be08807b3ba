import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import type { ReadingCounts } from '#domain/sync.js';
import { copyEntries, ENTRY_COLUMNS } from './copy-entries.js';
import type { CopyContext } from './copy-entries.js';
import { STORED_COUNTS } from './count-entries.js';
import type { StoredCounts } from './count-entries.js';
import type { KnownEntries } from './known-entries.js';
import { COMPARED_DESCRIPTION, heldRows, readCandidates } from './held-rows.js';
import type { Publication } from './publication.js';

/** What a publication changed in the rows of a source. */
export interface Changes {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  /** Removed entries that had been served, each as `name version`. */
  readonly lost: readonly string[];
  /** Number of rows that were written or deleted, including tombstones. */
  readonly rows: number;
  readonly reading: ReadingCounts;
  readonly quarantined: readonly QuarantinedEntry[];
  /**
   * The names whose versions have no update times of their own yet; if undefined, this applies to every written name.
   */
  readonly undatedNames?: readonly string[];
  /** The counts after the publication. */
  readonly stored: StoredCounts;
}

/**
 * How long tombstones are kept. They report removals to mirrors, and a mirror that has sent no request for this long
 * starts over anyway.
 */
const TOMBSTONE_LIFETIME = '90 days';

/** Writes new and changed entries, and turns missing ones into tombstones. */
export async function writeChanges(
  client: Client,
  { read, readAlike, isWhole }: Publication,
  context: CopyContext,
  known: KnownEntries,
): Promise<Changes> {
  const { sourceId } = context;
  await client.query('CREATE TEMP TABLE staged_entry (LIKE entry INCLUDING DEFAULTS INCLUDING STORAGE) ON COMMIT DROP');
  // If only part of the source was read, no entry is skipped, because entries are released from quarantine by name.
  const items = read((hash) => isWhole && readAlike && known.claim(hash));
  const { quarantined, reading } = await copyEntries(client, 'staged_entry', items, context);
  await client.query('ANALYZE staged_entry');
  if (isWhole) quarantined.push(...(await claimOverwritten(client, sourceId, known)));
  const { added, updated, removed, lost, rows, ...gained } = await applyStaged(client);
  const moved = await moveLatestMarks(client, sourceId);
  const buried = isWhole
    ? await buryMissing(client, sourceId, known.leftOver(), quarantined)
    : await buryTakenBack(client, sourceId, quarantined);
  const { rowCount: purged } = await client.query(
    'DELETE FROM entry WHERE source_id = $1 AND deleted_at < now() - $2::interval',
    [sourceId, TOMBSTONE_LIFETIME],
  );
  return {
    added,
    updated,
    removed: removed + buried.served + buried.hidden,
    lost: [...lost, ...buried.lost],
    rows: rows + moved + buried.served + buried.hidden + (purged ?? 0),
    reading,
    quarantined,
    // Computed, because counting the stored entries would require reading all of them.
    stored: {
      served: known.counts.served + gained.served - buried.served,
      hidden: known.counts.hidden + gained.hidden - buried.hidden,
    },
  };
}

/**
 * Claims the rows that staged entries will overwrite. If a row has already been claimed, the reader skipped the entry
 * for it without parsing its name, because it was stored unchanged. The staged entry with the same name and version is
 * then a duplicate and is quarantined, like a second one in the same file.
 */
async function claimOverwritten(client: Client, sourceId: number, known: KnownEntries): Promise<QuarantinedEntry[]> {
  const { rows } = await client.query<{
    key: string;
    name: string;
    version: string;
    description: string;
    hash: Buffer;
  }>(
    `SELECT staged.key, staged.name, staged.version, left(staged.description, $2) AS description, entry.hash
       FROM staged_entry AS staged JOIN entry USING (name, version)
      WHERE entry.source_id = $1 AND entry.deleted_at IS NULL`,
    [sourceId, COMPARED_DESCRIPTION],
  );
  const doubles = rows.filter(({ hash }) => !known.claim(hash.toString('latin1')));
  if (doubles.length === 0) return [];
  await client.query(
    `DELETE FROM staged_entry AS staged USING unnest($1::text[], $2::text[]) AS double (name, version)
      WHERE staged.name = double.name AND staged.version = double.version`,
    [doubles.map(({ name }) => name), doubles.map(({ version }) => version)],
  );
  return doubles.map(({ key, name, version, description }) => ({
    key,
    name,
    version,
    description,
    path: '',
    message: `is a duplicate: another entry has the same name and version (${name} ${version})`,
  }));
}

interface Applied extends StoredCounts {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly lost: readonly string[];
  readonly rows: number;
}

/** Whether two documents are equal except for white space, the order of members and the spelling of numbers. */
const SAME_DOCUMENT =
  '(stored.server_json = excluded.server_json OR stored.server_json::jsonb = excluded.server_json::jsonb)';

const SAME_META =
  "(stored.foreign_meta IS NOT DISTINCT FROM excluded.foreign_meta OR ('{' || stored.foreign_meta || '}')::jsonb = ('{' || excluded.foreign_meta || '}')::jsonb)";

/**
 * Whether the status time has not changed. If the source does not send a time, it is that of the transaction, which
 * does not count as a change.
 */
const SAME_STATUS_TIME = '(excluded.status_changed_at IN (stored.status_changed_at, now()::timestamptz(3)))';

/** Whether clients see no difference. The hash and the key are internal to the source, so they are not compared. */
const LOOKS_THE_SAME = `(${SAME_DOCUMENT} AND ${SAME_META} AND ${SAME_STATUS_TIME}
  AND (stored.tags, stored.facets, stored.status) = (excluded.tags, excluded.facets, excluded.status)
  AND (stored.hidden_by, stored.status_message) IS NOT DISTINCT FROM (excluded.hidden_by, excluded.status_message)
  AND (stored.deleted_at IS NULL) = (excluded.deleted_at IS NULL))`;

/** Identifies one version of a server. A name contains no spaces. */
const ENTRY_ID = "entry.name || ' ' || entry.version";

/** Writes the staged entries. `served` and `hidden` are the changes of the source's counts. */
async function applyStaged(client: Client): Promise<Applied> {
  const { rows } = await client.query<Applied>(
    `WITH written AS (
       INSERT INTO entry AS stored (${ENTRY_COLUMNS})
       SELECT ${ENTRY_COLUMNS} FROM staged_entry
       ON CONFLICT (source_id, name, version) DO UPDATE
          SET (key, hash, title, description, tags, facets, status, status_message, hidden_by, deleted_at) =
              (excluded.key, excluded.hash, excluded.title, excluded.description, excluded.tags, excluded.facets,
               excluded.status, excluded.status_message, excluded.hidden_by, excluded.deleted_at),
              server_json = CASE WHEN ${SAME_DOCUMENT} THEN stored.server_json ELSE excluded.server_json END,
              foreign_meta = CASE WHEN ${SAME_META} THEN stored.foreign_meta ELSE excluded.foreign_meta END,
              updated_at = CASE WHEN ${LOOKS_THE_SAME} THEN stored.updated_at ELSE now() END,
              written_by = CASE WHEN ${LOOKS_THE_SAME} THEN stored.written_by ELSE current_writer() END,
              status_changed_at = CASE WHEN ${SAME_STATUS_TIME} AND stored.status = excluded.status
                                        AND (stored.deleted_at IS NULL) = (excluded.deleted_at IS NULL)
                                       THEN stored.status_changed_at ELSE excluded.status_changed_at END
        WHERE (stored.hash, stored.key, stored.server_json, stored.tags, stored.facets, stored.status)
              <> (excluded.hash, excluded.key, excluded.server_json, excluded.tags, excluded.facets, excluded.status)
           OR (stored.hidden_by, stored.status_message, stored.foreign_meta)
              IS DISTINCT FROM (excluded.hidden_by, excluded.status_message, excluded.foreign_meta)
           OR (stored.deleted_at IS NULL) <> (excluded.deleted_at IS NULL)
       RETURNING stored.xmax = 0 AS inserted, stored.deleted_at IS NOT NULL AS deleted, stored.updated_at),
     -- A row that keeps its time looks the same to clients; times have milliseconds.
     seen AS (SELECT * FROM written WHERE inserted OR updated_at = now()::timestamptz(3)),
     given AS (SELECT ${STORED_COUNTS} FROM staged_entry),
     -- As it was before this statement.
     replaced AS (SELECT ${STORED_COUNTS},
                         coalesce(array_agg(id) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NULL AND is_buried), '{}') AS lost
                    FROM (SELECT ${ENTRY_ID} AS id, entry.deleted_at, entry.hidden_by,
                                 staged_entry.deleted_at IS NOT NULL AS is_buried
                            FROM staged_entry JOIN entry USING (source_id, name, version)) AS entry)
     SELECT count(*)::int AS rows,
            count(*) FILTER (WHERE inserted AND NOT deleted)::int AS added,
            count(*) FILTER (WHERE NOT inserted AND NOT deleted)::int AS updated,
            count(*) FILTER (WHERE NOT inserted AND deleted)::int AS removed,
            (SELECT lost FROM replaced) AS lost,
            (SELECT given.served - replaced.served FROM given, replaced) AS served,
            (SELECT given.hidden - replaced.hidden FROM given, replaced) AS hidden
       FROM seen`,
  );
  return rows[0] as Applied;
}

/**
 * Copies the marks of the latest versions from the registry. When a new version is marked, the mark is removed from
 * other versions of the same server that the revision does not contain, because a registry does not report the version
 * that loses the mark. Returns the number of rows written.
 */
async function moveLatestMarks(client: Client, sourceId: number): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE entry SET is_latest = marks.is_latest
       FROM (SELECT name, version, is_latest FROM staged_entry WHERE is_latest IS NOT NULL
              UNION ALL
             SELECT other.name, other.version, false
               FROM (SELECT DISTINCT name FROM staged_entry WHERE is_latest) AS marked
               JOIN entry AS other ON other.source_id = $1 AND other.name = marked.name AND other.is_latest
              WHERE NOT EXISTS (SELECT FROM staged_entry AS staged
                                 WHERE staged.name = other.name AND staged.version = other.version)) AS marks
      WHERE entry.source_id = $1 AND entry.name = marks.name AND entry.version = marks.version
        AND entry.is_latest IS DISTINCT FROM marks.is_latest`,
    [sourceId],
  );
  return rowCount ?? 0;
}

interface Buried extends StoredCounts {
  /** Entries that had been served, each as `name version`. */
  readonly lost: readonly string[];
}

const NOTHING: Buried = { served: 0, hidden: 0, lost: [] };

/** Turns stored rows that were not claimed into tombstones, unless a quarantined entry may correspond to them. */
async function buryMissing(
  client: Client,
  sourceId: number,
  leftOver: readonly Buffer[],
  quarantined: readonly QuarantinedEntry[],
): Promise<Buried> {
  if (leftOver.length === 0) return NOTHING;
  const isHeld = quarantined.some((entry) => entry.lifecycle?.status !== 'deleted');
  const kept = isHeld ? heldRows(quarantined, await readCandidates(client, sourceId, leftOver, quarantined)) : [];
  return bury(
    client,
    `WHERE source_id = $1 AND deleted_at IS NULL AND hash = ANY ($2::bytea[])
       AND NOT EXISTS (SELECT FROM staged_entry AS staged
                        WHERE staged.name = entry.name AND staged.version = entry.version)
       AND NOT EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS kept (name, version)
                        WHERE kept.name = entry.name AND kept.version = entry.version)`,
    [sourceId, leftOver, kept.map(({ name }) => name), kept.map(({ version }) => version)],
  );
}

/**
 * Turns rows that their registry has deleted into tombstones, even if the deletion itself came as an entry that cannot
 * be stored.
 */
async function buryTakenBack(
  client: Client,
  sourceId: number,
  quarantined: readonly QuarantinedEntry[],
): Promise<Buried> {
  const gone = quarantined.filter((entry) => entry.lifecycle?.status === 'deleted');
  if (gone.length === 0) return NOTHING;
  return bury(
    client,
    `FROM unnest($2::text[], $3::text[]) AS gone (name, version)
    WHERE entry.source_id = $1 AND entry.deleted_at IS NULL
      AND entry.name = gone.name AND entry.version = gone.version`,
    [sourceId, gone.map(({ name }) => name ?? ''), gone.map(({ version }) => version ?? '')],
  );
}

/**
 * Turns live rows into tombstones. `which` is the rest of the UPDATE statement. Returns by how much the counts
 * decrease.
 */
async function bury(client: Client, which: string, values: unknown[]): Promise<Buried> {
  const { rows } = await client.query<Buried>(
    `WITH buried AS (UPDATE entry SET deleted_at = now(), updated_at = now(), status_changed_at = now() ${which}
                     RETURNING hidden_by, ${ENTRY_ID} AS id)
     SELECT count(*) FILTER (WHERE hidden_by IS NULL)::int AS served, count(hidden_by)::int AS hidden,
            coalesce(array_agg(id) FILTER (WHERE hidden_by IS NULL), '{}') AS lost
       FROM buried`,
    values,
  );
  return rows[0] as Buried;
}
