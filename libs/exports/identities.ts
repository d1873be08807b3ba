import { Omitted } from './omission.js';
import type { EntryFaults } from './entry-faults.js';
import type { Notes } from './inputs.js';
import type { VisibleEntry } from './visible-entry.js';
import { tryWay, waysOf } from './ways.js';
import type { KeyedRule, WayRules } from './way-rules.js';

/**
 * Options under which the identities of a view are computed: for all platforms, and without wildcards, because a
 * wildcard is not an identity.
 */
const EVERY_IDENTITY = { platform: 'any', include: new Set<never>() } as const;

/**
 * The commands and URLs that clients would use for the entries of a view. They show whether a rule for one entry also
 * admits another, which must never happen unnoticed.
 */
export class Identities {
  readonly #names = new NamesByKey();
  readonly #urls = new Map<string, string>();
  readonly #origins = new NamesByKey();

  constructor(
    view: readonly VisibleEntry[],
    rules: WayRules,
    private readonly isRootUncertain: boolean,
    faults: EntryFaults,
  ) {
    for (const entry of view) {
      // An entry that fails here has no identity. It gets no rule either, because its rule fails for the same reason.
      faults.guard(entry, () => {
        for (const way of waysOf(entry)) {
          const { rendered = [] } = tryWay(way, (notes) => rules.of(way, EVERY_IDENTITY, notes));
          for (const rule of rendered) this.#add(rule, entry.server.name);
        }
      });
    }
  }

  /**
   * Returns the names of other entries that the rules also admit because they have the very same identity. Throws
   * `Omitted` if a rule admits an entry with a different identity.
   */
  sharedWith({ server }: VisibleEntry, rules: readonly KeyedRule[], notes: Notes): readonly string[] {
    const names = new Set<string>();
    for (const { rule, identity } of rules) {
      if ('serverUrl' in rule) this.#demandOnlyOwn(rule.serverUrl, server.name, notes);
      this.#names.addTo(names, identity);
    }
    names.delete(server.name);
    if (names.size === 0) return NONE;
    notes.add('same-command-as');
    return [...names].toSorted();
  }

  #demandOnlyOwn(url: string, own: string, notes: Notes): void {
    const isOther = (names: readonly string[]) => names.some((name) => name !== own);
    if (url.includes('*')) {
      const pattern = toPattern(url);
      for (const [key, each] of this.#urls) {
        if (pattern.test(each) && isOther(this.#names.of(key))) throw new Omitted('variable-in-url');
      }
      return;
    }
    if (!this.isRootUncertain) return;
    const { pathname, search, origin } = new URL(url);
    if (pathname !== '/' || search !== '') return;
    if (isOther(this.#origins.of(origin))) throw new Omitted('same-origin');
    notes.add('root-path-uncertain');
  }

  #add({ rule, identity }: KeyedRule, name: string): void {
    this.#names.add(identity, name);
    if (!('serverUrl' in rule)) return;
    this.#urls.set(identity, rule.serverUrl);
    if (this.isRootUncertain) this.#origins.add(new URL(rule.serverUrl).origin, name);
  }
}

const NONE: readonly string[] = [];

/** The names of entries by key. Most keys have only one name, which is stored without a set of its own. */
class NamesByKey {
  readonly #first = new Map<string, string>();
  readonly #others = new Map<string, Set<string>>();

  add(key: string, name: string): void {
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, name);
    else if (first !== name) this.#others.set(key, (this.#others.get(key) ?? new Set()).add(name));
  }

  of(key: string): readonly string[] {
    const first = this.#first.get(key);
    return first === undefined ? [] : [first, ...(this.#others.get(key) ?? [])];
  }

  addTo(names: Set<string>, key: string): void {
    const first = this.#first.get(key);
    if (first === undefined) return;
    names.add(first);
    this.#others.get(key)?.forEach((name) => names.add(name));
  }
}

/**
 * Returns a pattern for a URL with a wildcard in its authority. It matches every URL that any of the clients would
 * match with that wildcard.
 */
function toPattern(url: string): RegExp {
  const [head = '', tail = ''] = url.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${head}[^/]*${tail}$`, 'i');
}
