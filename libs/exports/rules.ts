import { EntryFaults } from './entry-faults.js';
import type { EntryResult, WayResult } from './entry-result.js';
import { DIALECTS } from './export-options.js';
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
  const view = options.view.length > 0 ? options.view : entries;
  const identities = new Identities(view, rules, client.isRootUncertain ?? false, faults);
  const allowed: KeyedRule[] = [];
  const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
    const found = faults.guard(entry, () => entryRules(entry, options, client, identities, rules));
    for (const rule of found?.rules ?? []) allowed.push(rule);
    return found?.result ?? toEntryResult(entry, [], { reason: 'internal' });
  });
  const denied = options.denied && toDenyRules(options.denied, options, client, faults);
  const deniedNames = new Set(options.denied?.flatMap(namesOf));
  return {
    allowed: uniqueRules(allowed).map(({ rule }) => rule),
    ...(denied && { denied: denied.map(({ rule }) => rule) }),
    results: results.map((result) => noteDeniedName(result, deniedNames)),
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
  denied: readonly VisibleEntry[],
  options: ExportOptions,
  client: RuleClient,
  faults: EntryFaults,
): readonly KeyedRule[] {
  const wayRules = new WayRules(new Set(DIALECTS), client.urlKey);
  const identitiesOf = (entry: VisibleEntry) =>
    waysOf(entry).flatMap(
      (way) => tryWay(way, (notes) => wayRules.of(way, { ...options, platform: 'any' }, notes)).rendered ?? [],
    );
  const rules = denied
    .toSorted(byText(({ server }) => server.name))
    .flatMap((entry) => [...(faults.guard(entry, () => identitiesOf(entry)) ?? []), ...namesOf(entry).map(nameRule)]);
  return uniqueRules(rules);
}

/**
 * Adds a note if an entry cannot be used under its short name, because a denied entry has the same short name in its
 * own view.
 */
function noteDeniedName(result: EntryResult, denied: ReadonlySet<string>): EntryResult {
  const { status, shortName, notes = [] } = result;
  if (status === 'omitted' || shortName === undefined || !denied.has(shortName)) return result;
  return { ...result, notes: [...notes, 'short-name-denied'] };
}

function namesOf({ server, shortName }: VisibleEntry): string[] {
  return [server.name, ...(shortName === undefined ? [] : [shortName])];
}
