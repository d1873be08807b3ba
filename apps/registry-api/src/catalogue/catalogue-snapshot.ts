import type { Answer, CatalogueReader, ListQuery } from './catalogue-reader.js';
import { compareCodePoints } from './code-point-order.js';
import { encodeCursor } from './cursor.js';
import type { ListFilter } from './cursor.js';
import { foldCase } from './fold-case.js';
import type { PreparedEntry, PreparedServer } from './prepared-entry.js';
import type { PreparedSource } from './prepared-source.js';
import { composeServerList } from './server-list.js';

/** An immutable list of servers and the indexes to answer from it. A later revision is another snapshot. */
export class CatalogueSnapshot implements CatalogueReader {
  readonly #etag: string;
  readonly #byName: ReadonlyMap<string, PreparedServer>;
  /** What a list starts from, each in order of (name, version): filtering then meets few entries that it drops. */
  readonly #all: Lists;
  readonly #live: Lists;

  constructor({ servers, digest }: PreparedSource) {
    this.#etag = `"${digest.slice(0, 22)}"`;
    this.#byName = new Map(servers.map((server) => [server.name, server]));
    const entries = servers.flatMap(({ versions }) => versions);
    this.#all = toLists(entries);
    this.#live = toLists(entries.filter(({ deleted }) => !deleted));
  }

  list({ after, filter, limit }: ListQuery): Answer {
    return this.#answer(() => {
      const lists = filter.includeDeleted ? this.#all : this.#live;
      const candidates = filter.version === 'latest' ? lists.latest : lists.entries;
      const wanted = toCondition(filter);
      const page: PreparedEntry[] = [];
      for (let at = after ? firstAfter(candidates, after) : 0; at < candidates.length; at++) {
        const entry = candidates[at] as PreparedEntry;
        if (!wanted(entry)) continue;
        const last = page.at(-1);
        if (last && page.length === limit) return composeServerList(page, encodeCursor({ after: last, filter }));
        page.push(entry);
      }
      return composeServerList(page);
    });
  }

  versions(name: string, includeDeleted: boolean): Answer | undefined {
    const versions = this.#byName.get(name)?.newestFirst.filter(({ deleted }) => includeDeleted || !deleted);
    return versions && versions.length > 0 ? this.#answer(() => composeServerList(versions)) : undefined;
  }

  version(name: string, version: string, includeDeleted: boolean): Answer | undefined {
    const server = this.#byName.get(name);
    const entry = version === 'latest' ? server?.latest : server?.versions.find((other) => other.version === version);
    if (!entry || (entry.deleted && !includeDeleted)) return undefined;
    return this.#answer(() => [entry.slab.subarray(entry.start, entry.end)]);
  }

  #answer(compose: () => Buffer[]): Answer {
    return { etag: this.#etag, compose };
  }
}

interface Lists {
  readonly entries: readonly PreparedEntry[];
  readonly latest: readonly PreparedEntry[];
}

function toLists(entries: readonly PreparedEntry[]): Lists {
  return { entries, latest: entries.filter(({ latest }) => latest) };
}

function toCondition({ search, version, updatedSinceMs }: ListFilter): (entry: PreparedEntry) => boolean {
  const needle = search === undefined ? '' : foldCase(search);
  const exact = version === 'latest' ? undefined : version;
  return (entry) =>
    (exact === undefined || entry.version === exact) &&
    (updatedSinceMs === undefined || entry.updatedAtMs > updatedSinceMs) &&
    (needle === '' || entry.searchText.includes(needle));
}

/** Index of the first entry behind the place, by binary search. */
function firstAfter(entries: readonly PreparedEntry[], place: { name: string; version: string }): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle] as PreparedEntry;
    const order = compareCodePoints(entry.name, place.name) || compareCodePoints(entry.version, place.version);
    if (order <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
