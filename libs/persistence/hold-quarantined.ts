import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';

/**
 * Makes the quarantine that of the revision which stands in `staged_entry` and `found`, and says how many it holds then. Of a
 * revision that is not the whole, what it did not come across stays held. What its registry has taken back is not.
 */
export async function holdQuarantined(
  client: Client,
  sourceId: number,
  isWhole: boolean,
  found: readonly QuarantinedEntry[],
): Promise<number> {
  const held = found.filter(({ lifecycle }) => lifecycle?.status !== 'deleted');
  if (isWhole) await client.query('DELETE FROM quarantined_entry WHERE source_id = $1', [sourceId]);
  else await releaseSeen(client, sourceId, found);
  if (held.length > 0) {
    await client.query(
      `INSERT INTO quarantined_entry (source_id, key, name, version, path, message) SELECT $1, * FROM ${GIVEN}`,
      [sourceId, ...toColumns(held)],
    );
  }
  const { rows } = await client.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM quarantined_entry WHERE source_id = $1',
    [sourceId],
  );
  return (rows[0] as { count: number }).count;
}

/**
 * Releases what came again, good or not. One without a version is what now comes under its name. One without a name is
 * called after its place, which says nothing of another list: it is the same only if all that can be told of it is.
 */
async function releaseSeen(client: Client, sourceId: number, found: readonly QuarantinedEntry[]): Promise<void> {
  await client.query(
    `WITH named AS (SELECT name, version FROM staged_entry
                    UNION ALL SELECT name, version FROM ${GIVEN} WHERE name IS NOT NULL)
     DELETE FROM quarantined_entry AS held
      WHERE source_id = $1
        AND (EXISTS (SELECT FROM named
                      WHERE named.name = held.name AND (held.version IS NULL OR held.version = named.version))
          OR EXISTS (SELECT FROM ${GIVEN}
                      WHERE given.name IS NULL AND held.name IS NULL AND given.version IS NOT DISTINCT FROM held.version
                        AND (given.key, given.path, given.message) = (held.key, held.path, held.message)))`,
    [sourceId, ...toColumns(found)],
  );
}

const GIVEN =
  'unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS given (key, name, version, path, message)';

function toColumns(entries: readonly QuarantinedEntry[]): (string | null)[][] {
  return [
    entries.map(({ key }) => key),
    entries.map(({ name }) => name ?? null),
    entries.map(({ version }) => version ?? null),
    entries.map(({ path }) => path),
    entries.map(({ message }) => message),
  ];
}
