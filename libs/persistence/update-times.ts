import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { compareVersions } from '#domain/version-order.js';
import type { OrderedVersion } from '#domain/version-order.js';

/**
 * Maximum time by which a version is dated before its transaction. It is less than the minute by which the requests of
 * mirrors overlap.
 */
const MAX_SPREAD_MS = 30_000;

/**
 * Sorts the versions of one name, newest first, and returns for each the milliseconds by which it is dated before the
 * newest. Clients that pick the newest version by `updatedAt` would otherwise find all of them equally new.
 */
export function spreadVersions<T extends OrderedVersion>(versions: readonly T[]): { version: T; earlierMs: number }[] {
  return versions
    .toSorted((a, b) => compareVersions(b, a))
    .map((version, rank) => ({ version, earlierMs: Math.min(rank, MAX_SPREAD_MS) }));
}

/**
 * Assigns update times to entries batch by batch, before they are written, because doing it afterwards would write each
 * row twice. The versions of a name are usually next to each other. Names with versions in several batches are
 * collected in {@link scatteredNames} and are dated later.
 */
export class UpdateTimes {
  readonly #now: Date;
  readonly #seen = new Set<string>();
  readonly #scattered = new Set<string>();

  /** `now` is the time of the transaction, which the newest version of each name gets. */
  constructor(now: Date) {
    this.#now = now;
  }

  /** The names whose versions came in several batches, so that their times do not follow the order of the versions. */
  get scatteredNames(): ReadonlySet<string> {
    return this.#scattered;
  }

  /** Returns the update times of those entries of a batch that are dated before the transaction. */
  of(entries: readonly CatalogueEntry[]): ReadonlyMap<CatalogueEntry, Date> {
    const times = new Map<CatalogueEntry, Date>();
    const live = entries.filter(({ lifecycle }) => lifecycle?.status !== 'deleted');
    for (const [name, versions] of Map.groupBy(live, (entry) => entry.name)) {
      if (this.#seen.has(name)) this.#scattered.add(name);
      this.#seen.add(name);
      if (versions.length === 1) continue;
      for (const { version, earlierMs } of spreadVersions(versions.map((entry, at) => this.#toVersion(entry, at)))) {
        if (earlierMs > 0) times.set(version.entry, new Date(this.#now.getTime() - earlierMs));
      }
    }
    return times;
  }

  #toVersion(entry: CatalogueEntry, position: number): OrderedVersion & { readonly entry: CatalogueEntry } {
    const { publishedAt, isLatest = false } = entry.lifecycle ?? {};
    const publishedAtMs = publishedAt === undefined ? this.#now.getTime() : Date.parse(publishedAt);
    return { entry, version: entry.version, isMarkedLatest: isLatest, publishedAtMs, position };
  }
}
