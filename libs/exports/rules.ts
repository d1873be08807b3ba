import { EntryFaults } from './entry-faults.js';
import type { EntryResult, WayResult } from './entry-result.js';
import { DIALECTS } from './export-options.js';
import { TextTooLong } from './text-too-long.js';
import type { ExportOptions } from './export-options.js';
import { Identities } from './identities.js';
import type { VisibleEntry } from './visible-entry.js';
import { nameRule, uniqueRules, WayRules } from './way-rules.js';
import type { KeyedRule, Rule } from './way-rules.js';
import { byText, demandWanted, toEntryResult, tryWay, waysOf } from './ways.js';

/** How a client compares URLs and names. All clients compare commands word by word. */
export interface RuleClient {
  /** Returns the key by which the client compares a URL: it treats URLs with equal keys as the same. */
  urlKey(url: string): string;
  /** Whether the client's documentation does not say if a URL without a path admits its whole origin. */
  readonly isRootUncertain?: boolean;
  /** Returns the names that a rule may contain for an entry. */
  names(entry: VisibleEntry): readonly string[];
}

export interface Policy {
  readonly allowed: readonly Rule[];
  /** Undefined if no deny rules were requested. */
  readonly denied?: readonly Rule[];
  readonly results: readonly EntryResult[];
  readonly faults: readonly unknown[];
}

/** Returns the rules that admit exactly the commands and URLs of the entries, sorted by the entries' names. */
export function toPolicy(entries: readonly VisibleEntry[], options: ExportOptions, client: RuleClient): Policy {
  const rules = new WayRules(options.dialects, client.urlKey);
  const faults = new EntryFaults();
  const identities = new Identities(client.isRootUncertain ?? false);
  for (const entry of entries) {
    faults.guard(entry, () => {
      for (const way of waysOf(entry)) identities.watch(rules.identify(way, options));
    });
  }
  // An entry that fails here has no identity. It gets no rule either, because its rule fails for the same reason.
  for (const entry of options.view ?? entries) faults.guard(entry, () => identities.add(entry, rules));
  const allowed: KeyedRule[] = [];
  const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
    const found = faults.guard(entry, () => entryRules(entry, options, client, identities, rules));
    for (const rule of found?.rules ?? []) allowed.push(rule);
    return found?.result ?? toEntryResult(entry, [], { reason: 'internal' });
  });
  const denied = options.denied && toDenyRules(options.denied, options, client, faults);
  return {
    allowed: uniqueRules(allowed).map(({ rule }) => rule),
    ...(denied && { denied }),
    results: denied ? noteDeniedNames(results, denied) : results,
    faults: faults.all,
  };
}

function entryRules(
  entry: VisibleEntry,
  options: ExportOptions,
  client: RuleClient,
  identities: Identities,
  wayRules: WayRules,
): { rules: readonly KeyedRule[]; result: EntryResult } {
  const rules: KeyedRule[] = [];
  const ways = waysOf(entry).map((way): WayResult => {
    const { result, rendered } = tryWay(way, (notes) => {
      demandWanted(way, options);
      const found = wayRules.of(way, options, notes);
      return { found, names: identities.sharedWith(entry, found, notes) };
    });
    if (!rendered) return result;
    const { found, names } = rendered;
    rules.push(...found);
    return { ...result, rules: found.length, ...(names.length > 0 && { names }) };
  });
  if (rules.length === 0 || !options.include.has('server-names')) return { rules, result: toEntryResult(entry, ways) };
  const names = client.names(entry).map(nameRule);
  return { rules: [...rules, ...names], result: toEntryResult(entry, ways, { notes: ['admits-more-than-entry'] }) };
}

/**
 * Returns rules against the commands, URLs and names of denied entries. An entry that shares a command or URL with a
 * denied one is not exported by any format.
 */
function toDenyRules(
  denied: Iterable<VisibleEntry>,
  options: ExportOptions,
  client: RuleClient,
  faults: EntryFaults,
): readonly Rule[] {
  const wayRules = new WayRules(new Set(DIALECTS), client.urlKey);
  const identitiesOf = (entry: VisibleEntry) =>
    waysOf(entry).flatMap((way) => wayRules.identify(way, { ...options, platform: 'any' }));
  const rules = new DenyRules(options.maxLength ?? Infinity);
  for (const entry of denied) {
    const { name } = entry.server;
    [...(faults.guard(entry, () => identitiesOf(entry)) ?? []), ...namesOf(entry).map(nameRule)].forEach(
      (rule, index) => rules.add(rule, name, index),
    );
  }
  return rules.sorted();
}

/**
 * Adds a note to each entry that cannot be used under its short name, because a denied entry has the same short name in
 * its own view.
 */
function noteDeniedNames(results: readonly EntryResult[], denied: readonly Rule[]): readonly EntryResult[] {
  const names = new Set(denied.flatMap((rule) => ('serverName' in rule ? rule.serverName : [])));
  return results.map((result) => {
    const { status, shortName, notes = [] } = result;
    if (status === 'omitted' || shortName === undefined || !names.has(shortName)) return result;
    return { ...result, notes: [...notes, 'short-name-denied'] };
  });
}

/** Characters of the text that a rule takes in addition to its key, at least. */
const RULE_LENGTH = 20;

/** Distinct rules, sorted by the first entry that causes each. Their length is limited to that of the text. */
class DenyRules {
  readonly #rules = new Map<string, { readonly rule: Rule; name: string; index: number }>();
  #length = 0;

  constructor(private readonly maxLength: number) {}

  /** Adds the rule at an index of an entry. Throws `TextTooLong` if the text would be too long. */
  add({ key, rule }: KeyedRule, name: string, index: number): void {
    const known = this.#rules.get(key);
    if (!known) {
      this.#length += key.length + RULE_LENGTH;
      if (this.#length > this.maxLength) throw new TextTooLong(`the deny rules are longer than ${this.maxLength}`);
      this.#rules.set(key, { rule, name, index });
    } else if (name < known.name || (name === known.name && index < known.index)) {
      Object.assign(known, { name, index });
    }
  }

  sorted(): readonly Rule[] {
    return [...this.#rules.values()]
      .toSorted((a, b) => (a.name === b.name ? a.index - b.index : a.name < b.name ? -1 : 1))
      .map(({ rule }) => rule);
  }
}

function namesOf({ server, shortName }: VisibleEntry): string[] {
  return [server.name, ...(shortName === undefined ? [] : [shortName])];
}
