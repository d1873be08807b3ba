import { toPage } from './page.js';
import type { Page, PageRequest, Queryable } from './page.js';

export interface QuarantineRecord {
  readonly id: number;
  readonly key: string;
  readonly name: string | null;
  readonly version: string | null;
  /** Where in the entry the fault is; empty for the whole of it. */
  readonly path: string;
  readonly message: string;
}

/** Characters of a text: these come from entries that are not fit to be served, and may have any length. */
const TEXT_LIMIT = 1000;

/**
 * Returns a page of what one source holds in quarantine, in the order in which it was found. What a sync finds between two pages is
 * stored under larger ids, so a later page has that as well: a client may get too much, but never too little.
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
