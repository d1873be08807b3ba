import { toPage } from './page.js';
import type { Page, PageRequest, Queryable } from './page.js';

export interface EntryRecord {
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string;
  readonly status: string;
  /** The filter rule that leaves it out; null when it is served. */
  readonly hiddenBy: string | null;
  readonly publishedAt: Date;
  readonly updatedAt: Date;
}

export interface EntryPlace {
  readonly name: string;
  readonly version: string;
}

/** Characters of a text; no schema allows so many, but nothing keeps a source from sending more. */
const TEXT_LIMIT = 500;

/** What one source holds, whatever its filter leaves out and whichever source wins a name; no tombstones. */
export async function readEntries(
  db: Queryable,
  sourceId: number,
  { after = { name: '', version: '' }, limit }: PageRequest<EntryPlace>,
): Promise<Page<EntryRecord, EntryPlace>> {
  const { rows } = await db.query<EntryRecord>(
    `SELECT name, version, left(title, ${TEXT_LIMIT}) AS title, left(description, ${TEXT_LIMIT}) AS description,
            status, hidden_by AS "hiddenBy", published_at AS "publishedAt", updated_at AS "updatedAt"
       FROM entry
      WHERE source_id = $1 AND deleted_at IS NULL AND (name, version) > ($2, $3)
      ORDER BY name, version LIMIT $4`,
    [sourceId, after.name, after.version, limit + 1],
  );
  return toPage(rows, limit, ({ name, version }) => ({ name, version }));
}
