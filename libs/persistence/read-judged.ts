import type { PreviewedEntry } from '#domain/preview.js';
import { compareCodePoints } from '#domain/code-point-order.js';
import type { Queryable } from './page.js';

/** Rows of a source that are in memory at a time. */
const PAGE_ROWS = 2000;

/** A source as it was last published. */
export interface PublishedSource {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** The hash of the spec that its entries are from; null before its first publication. */
  readonly specHash: string | null;
}

export async function readPublishedSources(
  db: Queryable,
  { namespace, registry }: { readonly namespace: string; readonly registry: string },
): Promise<readonly PublishedSource[]> {
  const { rows } = await db.query<PublishedSource>(
    `SELECT id, name, type, spec_hash AS "specHash" FROM source
      WHERE namespace = $1 AND registry = $2 AND left_at IS NULL ORDER BY position, name`,
    [namespace, registry],
  );
  return rows;
}

/** Reads the entries of sources that are not deleted, without their documents, name by name in text order (k-way merge). */
export async function* readByName(
  db: Queryable,
  sources: readonly PublishedSource[],
): AsyncGenerator<readonly PreviewedEntry[]> {
  const walks = sources.map((source) => readNames(db, source));
  const heads = await Promise.all(walks.map((walk) => walk.next()));
  for (;;) {
    const names = heads.flatMap(({ value }) => (value?.[0] ? [value[0].name] : []));
    const [name] = names.toSorted(compareCodePoints);
    if (name === undefined) return;
    const entries: PreviewedEntry[] = [];
    for (const [at, walk] of walks.entries()) {
      const { value } = heads[at] as IteratorResult<readonly PreviewedEntry[]>;
      if (value?.[0]?.name !== name) continue;
      entries.push(...value);
      heads[at] = await walk.next();
    }
    yield entries;
  }
}

/** Yields the entries of each name of one source, by keyset pagination. */
async function* readNames(db: Queryable, { id, name: source }: PublishedSource): AsyncGenerator<PreviewedEntry[]> {
  let group: PreviewedEntry[] = [];
  for (let after = ['', '']; ;) {
    const { rows } = await db.query<Omit<PreviewedEntry, 'source'>>(
      `SELECT name, version, key, tags, hidden_by AS "hiddenBy" FROM entry
        WHERE source_id = $1 AND (name, version) > ($2, $3) AND deleted_at IS NULL
        ORDER BY name, version LIMIT ${PAGE_ROWS}`,
      [id, ...after],
    );
    for (const row of rows) {
      if (group.length > 0 && group[0]?.name !== row.name) {
        yield group;
        group = [];
      }
      group.push({ ...row, source });
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_ROWS) break;
    after = [last.name, last.version];
  }
  if (group.length > 0) yield group;
}
