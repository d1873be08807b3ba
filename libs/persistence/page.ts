import type { QueryResultRow } from 'pg';

/** Whatever runs one statement: a client, a pool, or something around one. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<{ readonly rows: Row[] }>;
}

/** The registry that rows belong to, as every table names it. */
export interface RegistryPlace {
  readonly namespace: string;
  readonly registry: string;
}

export interface PageRequest<Place> {
  /** The place of the last item of the page before; it need not exist any more. */
  readonly after?: Place;
  /** Items of one page, from 1. */
  readonly limit: number;
}

export interface Page<Item, Place> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly next?: Place;
}

/** Makes a page of at most `limit` + 1 rows: the extra row shows that there is another page. */
export function toPage<Item, Place>(
  rows: readonly Item[],
  limit: number,
  placeOf: (item: Item) => Place,
): Page<Item, Place> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(last !== undefined && rows.length > limit && { next: placeOf(last) }) };
}
