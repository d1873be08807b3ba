import type { Client } from 'pg';
import type { FilterRule } from '#domain/source-filter.js';

interface StoredEntry {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  readonly tags: string[];
  readonly hidden_by: string | null;
}

/**
 * Applies a filter to the stored entries of a source, unless it is the filter that was applied last. Nothing is fetched
 * or parsed, and only rows whose mark changes are written. Returns the number of these rows.
 */
export async function filterStored(
  client: Client,
  sourceId: number,
  filterHash: string,
  hiddenBy: FilterRule,
): Promise<number> {
  const { rows } = await client.query<StoredEntry>(
    `SELECT entry.name, entry.version, entry.key, entry.tags, entry.hidden_by
       FROM entry JOIN source ON source.id = entry.source_id
      WHERE source.id = $1 AND source.filter_hash IS DISTINCT FROM $2 AND entry.deleted_at IS NULL`,
    [sourceId, filterHash],
  );
  const changed = rows.flatMap((row) => {
    const mark = hiddenBy(row) ?? null;
    return mark === row.hidden_by ? [] : [{ name: row.name, version: row.version, mark }];
  });
  if (changed.length === 0) return 0;
  await client.query(
    `UPDATE entry SET hidden_by = mark.hidden_by, updated_at = now()
       FROM unnest($2::text[], $3::text[], $4::text[]) AS mark (name, version, hidden_by)
      WHERE entry.source_id = $1 AND entry.name = mark.name AND entry.version = mark.version`,
    [sourceId, changed.map(({ name }) => name), changed.map(({ version }) => version), changed.map(({ mark }) => mark)],
  );
  return changed.length;
}
