import type { FilterRule } from './source-filter.js';

/** A stored version that is not deleted, with the facts that decide whether it is served. */
export interface PreviewedEntry {
  readonly source: string;
  readonly name: string;
  readonly version: string;
  readonly key: string;
  readonly tags: readonly string[];
  /** The rule of the current filter that hides it. */
  readonly hiddenBy: string | null;
}

/** A source according to the edited spec. */
export interface PreviewedSource {
  readonly name: string;
  readonly hiddenBy: FilterRule;
}

export interface PreviewChange {
  readonly name: string;
  readonly version: string;
  /** The source that serves it after the edit or, for a removed version, the source that served it before. */
  readonly source: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** The cause: a filter rule or a source. */
  readonly by: string;
}

/** Maximum number of changes that a preview lists. All changes are counted. */
export const MAX_PREVIEWED_CHANGES = 1000;

/**
 * Compares which of the stored entries two specs serve. The entries are added name by name, so that only those of one
 * name are in memory.
 */
export class Preview {
  readonly changes: PreviewChange[] = [];
  readonly counts = { added: 0, removed: 0, changed: 0, unchanged: 0 };
  readonly #before: readonly string[];
  readonly #after: readonly PreviewedSource[];

  /** `before` and `after` are the sources in order of precedence. */
  constructor(before: readonly string[], after: readonly PreviewedSource[]) {
    this.#before = before;
    this.#after = after;
  }

  get isTruncated(): boolean {
    const { added, removed, changed } = this.counts;
    return added + removed + changed > this.changes.length;
  }

  /**
   * Adds all stored entries of one name to the comparison. Call it once per name. `rest` is awaited between entries to
   * let other work run, because a name may have thousands of entries and a filter thousands of patterns. An error from
   * it aborts the comparison.
   */
  async add(entries: readonly PreviewedEntry[], rest: () => Promise<void> | undefined): Promise<void> {
    const judge = new NameJudge(rest);
    const bySource = Map.groupBy(entries, ({ source }) => source);
    const before = this.#servedBefore(bySource);
    const after = await this.#servedAfter(bySource, judge);
    const winner = after.values().next().value?.source;
    for (const [version, entry] of before) {
      const next = after.get(version);
      if (next === undefined) this.#note('removed', entry, await this.#removedBy(entry, winner, judge));
      else if (next.source !== entry.source) this.#note('changed', next, next.source);
      else this.counts.unchanged++;
    }
    for (const [version, entry] of after) {
      if (!before.has(version)) this.#note('added', entry, entry.hiddenBy ?? entry.source);
    }
  }

  #servedBefore(bySource: ReadonlyMap<string, readonly PreviewedEntry[]>): Map<string, PreviewedEntry> {
    for (const source of this.#before) {
      const served = (bySource.get(source) ?? []).filter(({ hiddenBy }) => hiddenBy === null);
      if (served.length > 0) return byVersion(served);
    }
    return new Map();
  }

  async #servedAfter(
    bySource: ReadonlyMap<string, readonly PreviewedEntry[]>,
    judge: NameJudge,
  ): Promise<Map<string, PreviewedEntry>> {
    for (const source of this.#after) {
      const served: PreviewedEntry[] = [];
      for (const entry of bySource.get(source.name) ?? []) {
        if ((await judge.hiddenBy(source, entry)) === undefined) served.push(entry);
      }
      if (served.length > 0) return byVersion(served);
    }
    return new Map();
  }

  async #removedBy(entry: PreviewedEntry, winner: string | undefined, judge: NameJudge): Promise<string> {
    const source = this.#after.find(({ name }) => name === entry.source);
    if (!source) return `source ${entry.source} is removed`;
    return (await judge.hiddenBy(source, entry)) ?? `source ${winner} has the name`;
  }

  #note(change: PreviewChange['change'], { name, version, source }: PreviewedEntry, by: string): void {
    this.counts[change]++;
    if (this.changes.length < MAX_PREVIEWED_CHANGES) this.changes.push({ name, version, source, change, by });
  }
}

/**
 * Evaluates the filter for the entries of one name, only once for entries with equal keys and tags, because most
 * versions of a server differ in neither.
 */
class NameJudge {
  readonly #known = new Map<string, string | undefined>();

  constructor(private readonly rest: () => Promise<void> | undefined) {}

  async hiddenBy(source: PreviewedSource, { key, name, tags }: PreviewedEntry): Promise<string | undefined> {
    const id = JSON.stringify([source.name, key, tags]);
    if (!this.#known.has(id)) this.#known.set(id, source.hiddenBy({ key, name, tags }));
    await this.rest();
    return this.#known.get(id);
  }
}

function byVersion(entries: readonly PreviewedEntry[]): Map<string, PreviewedEntry> {
  return new Map(entries.map((entry) => [entry.version, entry]));
}
