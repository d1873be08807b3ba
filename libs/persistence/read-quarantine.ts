import { toPage } from './page.js';
import type { Page, PageRequest, Queryable } from './page.js';

export interface QuarantineRecord {
  readonly id: number;
  readonly key: string;
  readonly name: string | null;
  readonly version: string | null;
  /** Location of the error in the entry. Empty if it concerns the entry as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Maximum length of a string in characters, because the strings come from invalid entries and may have any length. */
const TEXT_LIMIT = 1000;

/**
 * Returns a page of the quarantined entries of one source, in the order in which they were found. Entries that a sync
 * finds between two pages get higher ids, so a later page includes them: a client may see an entry twice but never
 * misses one.
 */
export async function readQuarantine(
  db: Queryable,
  sourceId: number,
  { after = 0, limit }: PageRequest<number>,
): Promise<Page<QuarantineRecord, number>> {
  const { rows } = await db.query<QuarantineRecord>(
    `SELECT id::float8 AS id, ${cut('key', 'name', 'version', 'path', 'message')}
       FROM quarantined_entry
      WHERE source_id = $1 AND id > $2
      ORDER BY quarantined_entry.id LIMIT $3`,
    [sourceId, after, limit + 1],
  );
  return toPage(rows, limit, ({ id }) => id);
}

function cut(...columns: readonly string[]): string {
  return columns.map((column) => `left(${column}, ${TEXT_LIMIT}) AS ${column}`).join(', ');
}
