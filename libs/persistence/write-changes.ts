import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { copyEntries, ENTRY_COLUMNS } from './copy-entries.js';
import type { CopyContext } from './copy-entries.js';
import { countEntries } from './count-entries.js';
import type { StoredCounts } from './count-entries.js';
import type { KnownEntries } from './known-entries.js';
import type { Publication } from './publish-revision.js';

/** What a publish did to the rows of a source. */
export interface Changes {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
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
  const items = read((hash) => readAlike && known.claim(hash));
  const { quarantined } = await copyEntries(client, 'staged_entry', items, context);
  await client.query('ANALYZE staged_entry');
  if (isWhole) quarantined.push(...(await claimOverwritten(client, sourceId, known)));
  const { added, updated, removed } = await applyStaged(client);
  const buried = isWhole
    ? await buryMissing(client, sourceId, known.leftOver(), quarantined)
    : await buryTakenBack(client, sourceId, quarantined);
  await client.query('DELETE FROM entry WHERE source_id = $1 AND deleted_at < now() - $2::interval', [
    sourceId,
    TOMBSTONE_LIFETIME,
  ]);
  const isChanged = added + updated + removed + buried > 0;
  const stored = isChanged ? await countEntries(client, sourceId) : known.counts;
  return { added, updated, removed: removed + buried, quarantined, stored };
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

async function applyStaged(client: Client): Promise<{ added: number; updated: number; removed: number }> {
  const { rows } = await client.query<{ added: number; updated: number; removed: number }>(
    `WITH written AS (
       INSERT INTO entry AS stored (${ENTRY_COLUMNS})
       SELECT ${ENTRY_COLUMNS} FROM staged_entry
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
  );
  return rows[0] as { added: number; updated: number; removed: number };
}

/** What is stored and was not claimed is gone, unless its new version is held in quarantine. */
async function buryMissing(
  client: Client,
  sourceId: number,
  leftOver: readonly Buffer[],
  quarantined: readonly QuarantinedEntry[],
): Promise<number> {
  if (leftOver.length === 0) return 0;
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
