import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';

/**
 * Updates the quarantine for the revision in `staged_entry` and `found`, and returns the number of quarantined entries.
 * If the revision is only a part of the source, entries that it does not contain stay in quarantine. Entries that their
 * registry has deleted are not quarantined.
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
 * Removes entries from the quarantine that the revision contains again, whether they are valid or not. A quarantined
 * entry without a version matches any entry with its name. An entry without a name is identified by its position, which
 * means nothing in another list, so it matches only if all its other properties are equal.
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
