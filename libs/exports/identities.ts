import { Omitted } from './omission.js';
import type { Notes } from './inputs.js';
import type { VisibleEntry } from './visible-entry.js';
import { waysOf } from './ways.js';
import type { KeyedRule, WayRules } from './way-rules.js';

/**
 * Options under which the identities of a view are computed: for all platforms, and without wildcards, because a
 * wildcard is not an identity.
 */
const EVERY_IDENTITY = { platform: 'any', include: new Set<never>() } as const;

/**
 * Shows whether a rule for one entry of a view also admits another entry, which must never happen unnoticed. The
 * identities of an entry are the commands and URLs that clients would use for it.
 *
 * Only what concerns the rules of the entries to export is kept, because a view can be larger than the memory: first
 * `watch` is called with these rules, then `add` with all entries of the view.
 */
export class Identities {
  readonly #identities = new WatchedNames();
  /** By URLs in lower case whose authority starts with a wildcard. */
  readonly #wildcards = new WatchedNames();
  readonly #origins = new WatchedNames();

  constructor(private readonly isRootUncertain: boolean) {}

  watch(rules: readonly KeyedRule[]): void {
    for (const { rule, identity } of rules) {
      this.#identities.watch(identity);
      if (!('serverUrl' in rule)) continue;
      if (rule.serverUrl.includes('*')) this.#wildcards.watch(rule.serverUrl.toLowerCase());
      else if (this.isRootUncertain && isRoot(rule.serverUrl)) this.#origins.watch(new URL(rule.serverUrl).origin);
    }
  }

  /** Throws if the rules of the entry cannot be determined because of an error in this server. */
  add(entry: VisibleEntry, rules: WayRules): void {
    for (const way of waysOf(entry)) {
      for (const rule of rules.identify(way, EVERY_IDENTITY)) this.#add(rule, entry.server.name);
    }
  }

  /**
   * Returns the names of other entries that the rules also admit because they have the very same identity: the first
   * ones in text order, if there are many. Throws `Omitted` if a rule admits an entry with a different identity.
   */
  sharedWith({ server }: VisibleEntry, rules: readonly KeyedRule[], notes: Notes): readonly string[] {
    const names = new Set<string>();
    for (const { rule, identity } of rules) {
      if ('serverUrl' in rule) this.#demandOnlyOwn(rule.serverUrl, server.name, notes);
      for (const name of this.#identities.of(identity)) names.add(name);
    }
    names.delete(server.name);
    if (names.size === 0) return [];
    notes.add('same-command-as');
    return [...names].toSorted();
  }

  #demandOnlyOwn(url: string, own: string, notes: Notes): void {
    const isOther = (name: string) => name !== own;
    if (url.includes('*')) {
      if (this.#wildcards.of(url.toLowerCase()).some(isOther)) throw new Omitted('variable-in-url');
      return;
    }
    if (!this.isRootUncertain || !isRoot(url)) return;
    if (this.#origins.of(new URL(url).origin).some(isOther)) throw new Omitted('same-origin');
    notes.add('root-path-uncertain');
  }

  #add({ rule, identity }: KeyedRule, name: string): void {
    this.#identities.add(identity, name);
    if (!('serverUrl' in rule)) return;
    if (this.#wildcards.size > 0) {
      for (const wildcard of wildcardsOf(rule.serverUrl)) this.#wildcards.add(wildcard, name);
    }
    if (this.#origins.size > 0) this.#origins.add(new URL(rule.serverUrl).origin, name);
  }
}

/** Maximum number of names that are kept for a key. At least two are needed to find another name than an own one. */
const MAX_NAMES = 20;

/** The names of entries by those keys that are watched: for each key the first names in text order. */
class WatchedNames {
  /** Most keys have only one name, which is stored without an array. */
  readonly #names = new Map<string, string | readonly string[] | undefined>();

  get size(): number {
    return this.#names.size;
  }

  watch(key: string): void {
    if (!this.#names.has(key)) this.#names.set(key, undefined);
  }

  add(key: string, name: string): void {
    const known = this.#names.get(key);
    if (known === undefined) {
      if (this.#names.has(key)) this.#names.set(key, name);
      return;
    }
    if (known === name) return;
    const names = typeof known === 'string' ? [known] : known;
    if (names.includes(name) || (names.length === MAX_NAMES && name > (names.at(-1) as string))) return;
    this.#names.set(key, [...names, name].toSorted().slice(0, MAX_NAMES));
  }

  of(key: string): readonly string[] {
    const names = this.#names.get(key);
    return names === undefined ? NONE : typeof names === 'string' ? [names] : names;
  }
}

const NONE: readonly string[] = [];

function isRoot(url: string): boolean {
  const { pathname, search } = new URL(url);
  return pathname === '/' && search === '';
}

/**
 * Returns all URLs with a wildcard at the start of the authority that match a URL in any of the clients, in lower case:
 * the wildcard stands for everything before a dot of the authority.
 */
function wildcardsOf(url: string): string[] {
  const text = url.toLowerCase();
  const authority = text.indexOf('//') + 2;
  const slash = text.indexOf('/', authority);
  const end = slash === -1 ? text.length : slash;
  const wildcards: string[] = [];
  for (let dot = text.indexOf('.', authority); dot !== -1 && dot < end; dot = text.indexOf('.', dot + 1)) {
    wildcards.push(`${text.slice(0, authority)}*${text.slice(dot)}`);
  }
  return wildcards;
}
