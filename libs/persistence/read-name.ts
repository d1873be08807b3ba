import type { ExplainedEntry, ExplainedFault } from '#domain/explain.js';
import type { Queryable } from './page.js';

/** Maximum number of versions that are read for a name. The list of entries contains the rest. */
const MAX_VERSIONS = 1000;
const MAX_FAULTS = 100;
const TEXT_LIMIT = 1000;

/** Reads all entries that these sources have under one name, including tombstones. */
export async function readName(
  db: Queryable,
  sourceIds: readonly number[],
  name: string,
): Promise<readonly ExplainedEntry[]> {
  const { rows } = await db.query<ExplainedEntry>(
    `SELECT source.name AS source, entry.version, encode(entry.hash, 'hex') AS hash,
            entry.hidden_by AS "hiddenBy", entry.deleted_at AS "deletedAt",
            coalesce(entry.is_latest, false) AS "isMarkedLatest", entry.position,
            extract(epoch FROM entry.published_at)::float8 * 1000 AS "publishedAtMs"
       FROM entry JOIN source ON source.id = entry.source_id
      WHERE entry.source_id = ANY($1::int[]) AND entry.name = $2
      ORDER BY entry.source_id, entry.published_at DESC, entry.version DESC LIMIT ${MAX_VERSIONS}`,
    [sourceIds, name],
  );
  return rows;
}

/** Reads the quarantined entries of these sources with a given name, or with that name as their key. */
export async function readNameFaults(
  db: Queryable,
  sourceIds: readonly number[],
  name: string,
): Promise<readonly ExplainedFault[]> {
  const { rows } = await db.query<ExplainedFault>(
    `SELECT source.name AS source, left(held.version, ${TEXT_LIMIT}) AS version,
            left(held.path, ${TEXT_LIMIT}) AS path, left(held.message, ${TEXT_LIMIT}) AS message
       FROM quarantined_entry held JOIN source ON source.id = held.source_id
      WHERE held.source_id = ANY($1::int[]) AND (held.name = $2 OR held.key = $2)
      ORDER BY held.id LIMIT ${MAX_FAULTS}`,
    [sourceIds, name],
  );
  return rows;
}
