import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { copyEntries, ENTRY_COLUMNS } from './copy-entries.js';
import type { CopyContext } from './copy-entries.js';
import { STORED_COUNTS } from './count-entries.js';
import type { StoredCounts } from './count-entries.js';
import type { KnownEntries } from './known-entries.js';
import { heldRows, readCandidates } from './held-rows.js';
import type { Publication } from './publication.js';

/** What a publish did to the rows of a source. */
export interface Changes {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  /** Number of removed entries that were served. */
  readonly lost: number;
  /** Rows that were written or deleted, tombstones included. */
  readonly rows: number;
  readonly quarantined: readonly QuarantinedEntry[];
  /** How it is now. */
  readonly stored: StoredCounts;
}

/** A tombstone tells mirrors of a removal; who has not asked for this long starts over anyway. */
const TOMBSTONE_LIFETIME = '90 days';

/** Writes what is new or differs, and buries what is there no more. */
export async function writeChanges(
  client: Client,
  { read, readAlike, isWhole }: Publication,
  context: CopyContext,
  known: KnownEntries,
): Promise<Changes> {
  const { sourceId } = context;
  await client.query('CREATE TEMP TABLE staged_entry (LIKE entry INCLUDING DEFAULTS INCLUDING STORAGE) ON COMMIT DROP');
  // When only a part of the source was read, no entry is skipped: those that came again leave quarantine by their names.
  const items = read((hash) => isWhole && readAlike && known.claim(hash));
  const { quarantined } = await copyEntries(client, 'staged_entry', items, context);
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
    lost: lost + buried.served,
    rows: rows + moved + buried.served + buried.hidden + (purged ?? 0),
    quarantined,
    // To count what is stored, all of it would have to be read.
    stored: {
      served: known.counts.served + gained.served - buried.served,
      hidden: known.counts.hidden + gained.hidden - buried.hidden,
    },
  };
}

/**
 * Claims the rows that staged ones will take the place of. One that is claimed already was skipped by the reader because
 * it is stored, and had no name until here: the other entry of its name and version comes too late, as a second one of
 * the same file does.
 */
async function claimOverwritten(client: Client, sourceId: number, known: KnownEntries): Promise<QuarantinedEntry[]> {
  const { rows } = await client.query<{ key: string; name: string; version: string; hash: Buffer }>(
    `SELECT staged.key, staged.name, staged.version, entry.hash
       FROM staged_entry AS staged JOIN entry USING (name, version)
      WHERE entry.source_id = $1 AND entry.deleted_at IS NULL`,
    [sourceId],
  );
  const doubles = rows.filter(({ hash }) => !known.claim(hash.toString('latin1')));
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

interface Applied extends StoredCounts {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly lost: number;
  readonly rows: number;
}

/** Whether two documents differ at most in white space, the order of members and the spelling of numbers. */
const SAME_DOCUMENT =
  '(stored.server_json = excluded.server_json OR stored.server_json::jsonb = excluded.server_json::jsonb)';

const SAME_META =
  "(stored.foreign_meta IS NOT DISTINCT FROM excluded.foreign_meta OR ('{' || stored.foreign_meta || '}')::jsonb = ('{' || excluded.foreign_meta || '}')::jsonb)";

/** The time of a status that was said in this revision; one that a source does not say is that of the transaction. */
const SAME_STATUS_TIME = '(excluded.status_changed_at IN (stored.status_changed_at, now()::timestamptz(3)))';

/** Whether clients see no difference; the hash and the key are the source's own. */
const LOOKS_THE_SAME = `(${SAME_DOCUMENT} AND ${SAME_META} AND ${SAME_STATUS_TIME}
  AND (stored.tags, stored.facets, stored.status) = (excluded.tags, excluded.facets, excluded.status)
  AND (stored.hidden_by, stored.status_message) IS NOT DISTINCT FROM (excluded.hidden_by, excluded.status_message)
  AND (stored.deleted_at IS NULL) = (excluded.deleted_at IS NULL))`;

/** Its counts are what it added to those of the source. */
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
                         count(*) FILTER (WHERE deleted_at IS NULL AND hidden_by IS NULL AND is_buried)::int AS lost
                    FROM (SELECT entry.deleted_at, entry.hidden_by, staged_entry.deleted_at IS NOT NULL AS is_buried
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
 * Takes over which versions the registry marks as the latest, and takes the mark from versions of the same servers that did not
 * come again: a registry tells of a new version without telling of the one that it takes the mark from. Returns the number of rows.
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

const NOTHING: StoredCounts = { served: 0, hidden: 0 };

/** Makes tombstones of what is stored and was not claimed, unless an entry in quarantine may stand for it. */
async function buryMissing(
  client: Client,
  sourceId: number,
  leftOver: readonly Buffer[],
  quarantined: readonly QuarantinedEntry[],
): Promise<StoredCounts> {
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

/** What its registry has taken back goes, even when it does not say so in a form that could be stored. */
async function buryTakenBack(
  client: Client,
  sourceId: number,
  quarantined: readonly QuarantinedEntry[],
): Promise<StoredCounts> {
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

/** Makes tombstones of live rows; `which` is the rest of the UPDATE. Says what there is less of. */
async function bury(client: Client, which: string, values: unknown[]): Promise<StoredCounts> {
  const { rows } = await client.query<StoredCounts>(
    `WITH buried AS (UPDATE entry SET deleted_at = now(), updated_at = now(), status_changed_at = now() ${which}
                     RETURNING hidden_by)
     SELECT count(*) FILTER (WHERE hidden_by IS NULL)::int AS served, count(hidden_by)::int AS hidden FROM buried`,
    values,
  );
  return rows[0] as StoredCounts;
}
