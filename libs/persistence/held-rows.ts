import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';

/** A live row that an entry in quarantine may stand for. */
export interface CandidateRow {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  /** The beginning of the description. */
  readonly description: string;
  /** It is not part of the new revision. */
  readonly isMissing: boolean;
}

/** Reads the rows that are missing from the new revision, and those that have the name or key of an entry in quarantine. */
export async function readCandidates(
  client: Client,
  sourceId: number,
  leftOver: readonly Buffer[],
  held: readonly QuarantinedEntry[],
): Promise<CandidateRow[]> {
  const { rows } = await client.query<CandidateRow>(
    `SELECT name, version, key, left(description, $5) AS description,
            hash = ANY ($2::bytea[]) AND NOT EXISTS (SELECT FROM staged_entry AS staged
              WHERE staged.name = entry.name AND staged.version = entry.version) AS "isMissing"
       FROM entry
      WHERE source_id = $1 AND deleted_at IS NULL
        AND (hash = ANY ($2::bytea[]) OR name = ANY ($3::text[]) OR key = ANY ($4::text[]))`,
    [sourceId, leftOver, held.flatMap(({ name }) => name ?? []), held.map(({ key }) => key), COMPARED_DESCRIPTION],
  );
  return rows;
}

/** Characters; as many as a reader of sources gives. */
const COMPARED_DESCRIPTION = 1_000;

/**
 * Returns the missing rows that stay because an entry in quarantine may stand for them: a fault must never take a served version away.
 * - An entry with the name (or key) and version of a row stands for that row.
 * - One with the name of rows and another version is a new version that cannot be served: the earlier ones stay.
 * - One with a name that no row has may have the fault in its name: it stands for rows with the same description.
 * - One of which neither can be read may stand for any row: nothing goes while it is in quarantine.
 * - A file of a folder always stands for the row that was read from its path. It never stands for any row: it may be no server at all.
 * What its registry has taken back is not kept.
 */
export function heldRows(quarantined: readonly QuarantinedEntry[], rows: readonly CandidateRow[]): CandidateRow[] {
  const held = quarantined.filter(({ lifecycle }) => lifecycle?.status !== 'deleted');
  const taken = quarantined.filter(({ lifecycle }) => lifecycle?.status === 'deleted');
  const takenBack = new Set(taken.map(({ name, version }) => `${name}\n${version}`));
  const byName = Map.groupBy(rows, ({ name }) => name);
  const byKey = Map.groupBy(rows, ({ key }) => key);
  const byDescription = Map.groupBy(rows, ({ description }) => description);
  const kept = new Set<CandidateRow>();
  for (const entry of held) {
    const ofKey = byKey.get(entry.key) ?? [];
    const same = [...(byName.get(entry.name ?? '') ?? []), ...ofKey];
    const exact = same.filter(({ version }) => version === entry.version);
    const alike = entry.description === undefined ? [] : (byDescription.get(entry.description) ?? []);
    const found = exact.length > 0 ? exact : same.length > 0 ? same : alike;
    const isUnknown = found.length === 0 && entry.name === undefined && !entry.isFile;
    for (const row of isUnknown ? rows : entry.isFile ? [...found, ...ofKey] : found)
      if (row.isMissing && !takenBack.has(`${row.name}\n${row.version}`)) kept.add(row);
  }
  return [...kept];
}
