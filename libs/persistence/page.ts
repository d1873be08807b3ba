import type { QueryResultRow } from 'pg';

/** Anything that can run a statement: a client, a pool or a wrapper around one. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<{ readonly rows: Row[] }>;
}

/** Identifies the registry that rows belong to, with the column names of all tables. */
export interface RegistryPlace {
  readonly namespace: string;
  readonly registry: string;
}

export interface PageRequest<Place> {
  /** Position of the last item of the previous page. The item may no longer exist. */
  readonly after?: Place;
  /** Maximum number of items on a page, at least 1. */
  readonly limit: number;
}

export interface Page<Item, Place> {
  readonly items: readonly Item[];
  /** Position after which the next page starts. Absent on the last page. */
  readonly next?: Place;
}

/** Makes a page from up to `limit` + 1 rows. The extra row shows that there is another page. */
export function toPage<Item, Place>(
  rows: readonly Item[],
  limit: number,
  placeOf: (item: Item) => Place,
): Page<Item, Place> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(last !== undefined && rows.length > limit && { next: placeOf(last) }) };
}
