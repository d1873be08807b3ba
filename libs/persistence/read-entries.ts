import { toPage } from './page.js';
import type { Page, PageRequest, Queryable } from './page.js';

export interface EntryRecord {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string;
  readonly status: string;
  /** The filter rule that excludes the entry. Null if it is served. */
  readonly hiddenBy: string | null;
  /** The publisher of an entry in a managed source. Null for entries that were synced. */
  readonly publisherProvider: string | null;
  readonly publisherSubject: string | null;
  /** Hash of the source's bytes in hexadecimal digits. */
  readonly sha256: string;
  readonly publishedAt: Date;
  readonly updatedAt: Date;
}

export interface EntryPlace {
  readonly name: string;
  readonly version: string;
}

export interface RegistryEntryRecord extends Omit<
  EntryRecord,
  'status' | 'hiddenBy' | 'publisherProvider' | 'publisherSubject' | 'sha256'
> {
  readonly sourceName: string;
  /** Position of the entry's source in the order of precedence, starting at 0. */
  readonly position: number;
}

export interface RegistryEntryPlace extends EntryPlace {
  readonly position: number;
}

/** Maximum length of a string in characters. No schema allows more, but a source may send more. */
const TEXT_LIMIT = 500;

/** Returns a page of the entries of one source, including hidden and shadowed ones, without tombstones. */
export async function readEntries(
  db: Queryable,
  sourceId: number,
  { after = { name: '', version: '' }, limit }: PageRequest<EntryPlace>,
): Promise<Page<EntryRecord, EntryPlace>> {
  const { rows } = await db.query<EntryRecord>(
    `SELECT name, version, left(title, ${TEXT_LIMIT}) AS title, left(description, ${TEXT_LIMIT}) AS description,
            status, hidden_by AS "hiddenBy", publisher_provider AS "publisherProvider",
            left(publisher_subject, ${TEXT_LIMIT}) AS "publisherSubject", encode(hash, 'hex') AS sha256, published_at AS "publishedAt", updated_at AS "updatedAt"
       FROM entry
      WHERE source_id = $1 AND deleted_at IS NULL AND (name, version) > ($2, $3)
      ORDER BY name, version LIMIT $4`,
    [sourceId, after.name, after.version, limit + 1],
  );
  return toPage(rows, limit, ({ name, version }) => ({ name, version }));
}

/**
 * Returns a page of the entries that these sources serve, sorted by name, version and source. Includes entries whose
 * name is taken by an earlier source.
 */
export async function readRegistryEntries(
  db: Queryable,
  sourceIds: readonly number[],
  { after = { name: '', version: '', position: -1 }, limit }: PageRequest<RegistryEntryPlace>,
): Promise<Page<RegistryEntryRecord, RegistryEntryPlace>> {
  const { rows } = await db.query<RegistryEntryRecord>(
    `SELECT entry.name, entry.version, left(title, ${TEXT_LIMIT}) AS title, left(description, ${TEXT_LIMIT}) AS description,
            published_at AS "publishedAt", entry.updated_at AS "updatedAt", source.name AS "sourceName",
            (listed.ordinal - 1)::int AS position
       FROM unnest($1::int[]) WITH ORDINALITY AS listed (id, ordinal)
       JOIN source ON source.id = listed.id
       JOIN entry ON entry.source_id = source.id
      WHERE deleted_at IS NULL AND hidden_by IS NULL
        AND (entry.name, entry.version, listed.ordinal - 1) > ($2, $3, $4)
      ORDER BY entry.name, entry.version, listed.ordinal LIMIT $5`,
    [sourceIds, after.name, after.version, after.position, limit + 1],
  );
  return toPage(rows, limit, ({ name, version, position }) => ({ name, version, position }));
}
