import type { PreviewedEntry } from '#domain/preview.js';
import { compareCodePoints } from '#domain/code-point-order.js';
import { shortened } from '#domain/shortened.js';
import type { Queryable } from './page.js';

/** Maximum rows and characters that are read from a source at a time. Each source has one page in memory. */
const PAGE_ROWS = 500;
const PAGE_CHARACTERS = 256 * 1024;
/** Maximum characters of all versions of one name in one source. */
const GROUP_CHARACTERS = 8 * 1024 * 1024;
/** Estimated memory of a row and of a tag in addition to their characters. */
const ROW_CHARACTERS = 200;
const TAG_CHARACTERS = 20;
const SHOWN_NAME = 100;

/** The state of a source at its last publication. */
export interface PublishedSource {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Hash of the spec with which its entries were read. Null before the first publication. */
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

/** Options for reading entries. */
export interface JudgedReading {
  /** Whether tags are needed. They are optional because they may be the largest part of an entry. */
  readonly withTags: boolean;
  /** Awaited after each page; an error from it aborts the reading. */
  rest(this: void): Promise<void> | undefined;
}

/** Thrown if one name has more versions than can be held in memory together. */
export class TooManyVersions extends Error {
  constructor(name: string) {
    super(`${shortened(name, SHOWN_NAME)} has more versions, or longer tags, than can be compared`);
    this.name = 'TooManyVersions';
  }
}

/**
 * Reads the entries of sources that are not deleted, without their documents. Yields them name by name in code-point
 * order (k-way merge). Throws `TooManyVersions`.
 */
export async function* readByName(
  db: Queryable,
  sources: readonly PublishedSource[],
  reading: JudgedReading,
): AsyncGenerator<readonly PreviewedEntry[]> {
  const walks = sources.map((source) => readNames(db, source, reading));
  const heads = await Promise.all(walks.map((walk) => walk.next()));
  for (;;) {
    const names = heads.flatMap(({ value }) => (value?.[0] ? [value[0].name] : []));
    const [name] = names.toSorted(compareCodePoints);
    if (name === undefined) return;
    const entries: PreviewedEntry[] = [];
    for (const [at, walk] of walks.entries()) {
      const { value } = heads[at] as IteratorResult<readonly PreviewedEntry[]>;
      if (value?.[0]?.name !== name) continue;
      // Entries are pushed one by one, because the number of arguments of a call is limited.
      for (const entry of value) entries.push(entry);
      heads[at] = await walk.next();
    }
    yield entries;
  }
}

/** Yields the entries of one source, grouped by name. */
async function* readNames(
  db: Queryable,
  source: PublishedSource,
  reading: JudgedReading,
): AsyncGenerator<PreviewedEntry[]> {
  let group: PreviewedEntry[] = [];
  let characters = 0;
  for await (const page of readPages(db, source, reading)) {
    for (const row of page) {
      if (group.length > 0 && group[0]?.name !== row.name) {
        yield group;
        group = [];
        characters = 0;
      }
      characters += weightOf(row);
      if (characters > GROUP_CHARACTERS) throw new TooManyVersions(row.name);
      group.push(row);
    }
    await reading.rest();
  }
  if (group.length > 0) yield group;
}

/** Yields pages of rows by keyset pagination, each limited in rows and in characters. */
async function* readPages(
  db: Queryable,
  { id, name: source }: PublishedSource,
  { withTags }: JudgedReading,
): AsyncGenerator<PreviewedEntry[]> {
  const tags = withTags ? 'tags' : "'{}'::text[]";
  for (let after: readonly [string, string] | undefined = ['', '']; after;) {
    const { rows }: { rows: Omit<PreviewedEntry, 'source'>[] } = await db.query(
      `SELECT name, version, key, tags, "hiddenBy"
         FROM (SELECT *, row_number() OVER page AS row,
                      sum(length(key) + length(array_to_string(tags, ''))) OVER page AS characters
                 FROM (SELECT name, version, key, ${tags} AS tags, hidden_by AS "hiddenBy" FROM entry
                        WHERE source_id = $1 AND (name, version) > ($2, $3) AND deleted_at IS NULL
                        ORDER BY name, version LIMIT ${PAGE_ROWS}) AS entry
               WINDOW page AS (ORDER BY name, version ROWS UNBOUNDED PRECEDING)) AS entry
        WHERE row = 1 OR characters <= ${PAGE_CHARACTERS} ORDER BY name, version`,
      [id, ...after],
    );
    yield rows.map((row) => ({ ...row, source }));
    const last = rows.at(-1);
    after = last && [last.name, last.version];
  }
}

/** Returns the approximate memory of a row, in characters. */
function weightOf({ name, version, key, tags }: PreviewedEntry): number {
  const characters = [name, version, key, ...tags].reduce((sum, text) => sum + text.length, 0);
  return ROW_CHARACTERS + characters + tags.length * TAG_CHARACTERS;
}
