import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';

/** A live row that may correspond to a quarantined entry. */
export interface CandidateRow {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  /** The first {@link COMPARED_DESCRIPTION} characters of the description. */
  readonly description: string;
  /** Whether the row is missing from the new revision. */
  readonly isMissing: boolean;
}

/**
 * Reads the rows that are missing from the new revision, and the rows that have the name or key of a quarantined entry.
 */
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

/** Number of characters of a description that are compared, which is as many as the readers of sources return. */
export const COMPARED_DESCRIPTION = 1_000;

/**
 * Returns the missing rows that are kept because a quarantined entry may correspond to them. An error in an entry must
 * never remove a version that is served.
 *
 * - An entry with the name (or key) and version of a row corresponds to that row.
 * - An entry with the name of some rows but another version is a new version that cannot be served, so the earlier
 *   versions are kept.
 * - An entry with a name that no row has may have an error in its name, so it corresponds to the rows with the same
 *   description.
 * - An entry with the name and version of a row but another description may be a different row whose name or version
 *   was edited by mistake, so it also corresponds to the rows with its description. The same applies if another entry
 *   of the revision already corresponds to that row, because the quarantined entry may be a copy.
 * - Each of several entries with the same name corresponds to a different row. If there are more entries than missing
 *   rows with their versions, no row with that name is removed.
 * - An entry whose name cannot be read, and that matches no row by key or description, may correspond to any row, so no
 *   row is removed while it is in quarantine.
 * - A file in a folder always corresponds to the row that was read from its path. It never stands for all rows, because
 *   it may not describe a server at all.
 * - A row that its registry has deleted is not kept.
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
    const isSure = exact.some(({ isMissing, description }) => isMissing && description === entry.description);
    const close = exact.length > 0 ? [...exact, ...alike] : same.length > 0 ? same : alike;
    const found = isSure ? exact : close;
    const isUnknown = found.length === 0 && entry.name === undefined && !entry.isFile;
    for (const row of isUnknown ? rows : entry.isFile ? [...found, ...ofKey] : found)
      if (row.isMissing && !takenBack.has(`${row.name}\n${row.version}`)) kept.add(row);
  }
  for (const row of unaccounted(held, byName)) if (!takenBack.has(`${row.name}\n${row.version}`)) kept.add(row);
  return [...kept];
}

/**
 * For each name with more quarantined entries than missing rows of matching version, returns all its missing rows. One
 * of these entries has a new version, or by mistake the version of another entry, so it may correspond to any of the
 * rows.
 */
function unaccounted(
  held: readonly QuarantinedEntry[],
  byName: ReadonlyMap<string, readonly CandidateRow[]>,
): CandidateRow[] {
  const inLists = held.filter(({ name, isFile }) => name !== undefined && !isFile);
  return [...Map.groupBy(inLists, ({ name }) => name as string)].flatMap(([name, entries]) => {
    const missing = (byName.get(name) ?? []).filter(({ isMissing }) => isMissing);
    const versions = new Set(entries.map(({ version }) => version));
    const accounted = missing.filter(({ version }) => versions.has(version));
    return entries.length > accounted.length ? missing : [];
  });
}
