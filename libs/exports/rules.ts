import { fixedText, inputsOf } from './inputs.js';
import type { EntryResult, WayResult } from './export-format.js';
import type { Dialect, ExportOptions } from './export-options.js';
import type { Notes, UserInput, Value } from './inputs.js';
import { apmLine } from './launch/apm.js';
import { portableLaunch } from './launch/portable.js';
import { vscodeLine } from './launch/vscode.js';
import { Omitted } from './omission.js';
import type { NoteName } from './omission.js';
import { remoteUrl } from './remotes.js';
import type { VisibleEntry } from './visible-entry.js';
import { byText, demandWanted, toEntryResult, tryWay, waysOf } from './ways.js';
import type { Way } from './ways.js';

/** What one rule of a policy admits. */
export type Rule =
  { readonly serverUrl: string } | { readonly serverCommand: readonly string[] } | { readonly serverName: string };

/** How a client compares URLs and names; commands are equal word by word everywhere. */
export interface RuleClient {
  /** Equal keys: the client takes the URLs for the same. */
  urlKey(url: string): string;
  /** Whether it is not documented if a URL without path admits its whole origin. */
  readonly isRootUncertain?: boolean;
  /** Names that a rule may hold for an entry. */
  names(entry: VisibleEntry): readonly string[];
}

export interface Policy {
  readonly allowed: readonly Rule[];
  /** Undefined: no deny rules were asked for. */
  readonly denied?: readonly Rule[];
  readonly results: readonly EntryResult[];
  readonly notes: readonly NoteName[];
  readonly faults: readonly unknown[];
}

const MAX_CHOICES = 16;

/** Returns the rules that admit exactly what the entries are started by or reached at, in the order of their names. */
export function toPolicy(entries: readonly VisibleEntry[], options: ExportOptions, client: RuleClient): Policy {
  const identities = new Identities(options.view.length > 0 ? options.view : entries, options, client);
  const faults: unknown[] = [];
  const allowed: Rule[] = [];
  const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
    try {
      const { rules, result } = entryRules(entry, options, client, identities);
      allowed.push(...rules);
      return result;
    } catch (error) {
      faults.push(error);
      return toEntryResult(entry, [], { reason: 'internal' });
    }
  });
  const unique = uniqueRules(allowed);
  const denial = options.denied && toDenyRules(options.denied, options, client, unique);
  return {
    allowed: unique,
    ...(denial && { denied: denial.rules }),
    results,
    notes: denial?.isCut ? ['deny-would-match-allowed'] : [],
    faults,
  };
}

function entryRules(
  entry: VisibleEntry,
  options: ExportOptions,
  client: RuleClient,
  identities: Identities,
): { rules: readonly Rule[]; result: EntryResult } {
  const rules: Rule[] = [];
  const ways = waysOf(entry).map((way): WayResult => {
    const { result, rendered } = tryWay(way, (notes) => {
      demandWanted(way, options);
      const found = wayRules(way, options, notes);
      return { found, names: identities.sharedWith(entry, found, notes) };
    });
    if (!rendered) return result;
    const { found, names } = rendered;
    rules.push(...found);
    return { ...result, rules: found.length, ...(names.length > 0 && { names }) };
  });
  if (rules.length === 0 || !options.include.has('server-names')) return { rules, result: toEntryResult(entry, ways) };
  const names = client.names(entry).map((serverName): Rule => ({ serverName }));
  return { rules: [...rules, ...names], result: toEntryResult(entry, ways, { notes: ['admits-more-than-entry'] }) };
}

/** Returns the rules of one way; throws `Omitted` where its identity depends on the user. */
function wayRules(way: Way, options: ExportOptions, notes: Notes): readonly Rule[] {
  if (way.kind === 'remote') return [{ serverUrl: policyUrl(remoteUrl(way.remote, notes), options, notes) }];
  let refusal: unknown;
  const rules = (['portable', 'vscode', 'apm'] as const)
    .filter((dialect) => options.dialects.has(dialect))
    .flatMap((dialect) => {
      const own: Notes = new Set();
      try {
        const found = lineOf(dialect, way, own);
        if (!found) return [];
        const lines = linesOf(found, own);
        if (dialect === 'apm') own.add('admits-more-than-entry');
        if (dialect === 'portable') own.forEach((note) => notes.add(note));
        else if (own.has('admits-more-than-entry')) notes.add('admits-more-than-entry');
        return lines.flatMap((words) => spellings(words, options.platform));
      } catch (error) {
        if (!(error instanceof Omitted)) throw error;
        refusal ??= error;
        return [];
      }
    });
  const unique = uniqueRules(rules.map((serverCommand): Rule => ({ serverCommand })));
  if (unique.length === 0) throw refusal ?? new Omitted('variable-in-command');
  return unique;
}

function lineOf(dialect: Dialect, { pack }: Way & { kind: 'package' }, notes: Notes): readonly Value[] | undefined {
  if (dialect === 'vscode') return vscodeLine(pack, notes);
  if (dialect === 'apm') return apmLine(pack, notes);
  const { command, args } = portableLaunch(pack, notes);
  return [[command], ...args];
}

/** Returns the lines that a command can be: one, or one for each combination of choices. */
function linesOf(line: readonly Value[], notes: Notes): readonly (readonly string[])[] {
  let lines: string[][] = [[]];
  for (const value of line) {
    const texts = textsOf(value);
    if (texts.length * lines.length > MAX_CHOICES) throw new Omitted('variable-in-command');
    lines = lines.flatMap((words) => texts.map((text) => [...words, text]));
  }
  if (notes.has('default-used')) notes.add('default-value-only');
  for (const word of lines.flat()) {
    if (word.includes('$')) throw new Omitted('variable-in-command', 'the command holds a dollar sign');
  }
  return lines;
}

/** Returns the texts that a value can be: all choices, the default among them. */
function textsOf(value: Value): readonly string[] {
  return value.reduce<string[]>(
    (texts, part) => {
      const choices = typeof part === 'string' ? [part] : choicesOf(part);
      if (choices.length === 0)
        throw new Omitted('variable-in-command', 'the command holds a value that the user gives');
      if (texts.length * choices.length > MAX_CHOICES) throw new Omitted('variable-in-command');
      return texts.flatMap((text) => choices.map((choice) => text + choice));
    },
    [''],
  );
}

function choicesOf({ choices = [], default: proposed }: UserInput): readonly string[] {
  return proposed === undefined || choices.includes(proposed) ? choices : [...choices, proposed];
}

/** Programs that are scripts on Windows, and are started through its command interpreter. */
const SCRIPTS: ReadonlySet<string> = new Set(['npx', 'dnx', 'uvx']);
/** What that interpreter would interpret. */
const INTERPRETED = /[&|<>^%!"()\r\n]/;

function spellings(words: readonly string[], platform: ExportOptions['platform']): (readonly string[])[] {
  if (!SCRIPTS.has(words[0] as string)) return [words];
  const windows = words.some((word) => INTERPRETED.test(word)) ? [] : [['cmd', '/c', ...words]];
  return [...(platform === 'windows' ? [] : [words]), ...(platform === 'posix' ? [] : windows)];
}

function policyUrl(value: Value, { include }: ExportOptions, notes: Notes): string {
  const url = fixedText(value);
  if (url === undefined) {
    if (!include.has('templates')) throw new Omitted('variable-in-url');
    notes.add('admits-more-than-entry');
    return templateUrl(value);
  }
  if (url.includes('*')) throw new Omitted('wildcard-in-url');
  if (url.includes('$')) throw new Omitted('placeholder-in-url');
  return url;
}

/** Two literal labels must follow, or the wildcard could match a domain of another owner. */
const TEMPLATE = /^(https?:\/\/)\*(\.[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:\/[^*$]*)?)$/;

function templateUrl(value: Value): string {
  const isOnly = inputsOf(value).length === 1;
  const text = value.map((part) => (typeof part === 'string' ? part : '*')).join('');
  const [, scheme, rest] = TEMPLATE.exec(text) ?? [];
  if (!isOnly || scheme === undefined || rest === undefined) throw new Omitted('variable-in-url');
  return `${scheme}*${rest.includes('/') ? rest : `${rest}/`}`;
}

function uniqueRules(rules: readonly Rule[]): Rule[] {
  return Array.from(new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values());
}

/** What clients would start or reach for the entries of a view: no rule may admit another entry's unnoticed. */
class Identities {
  readonly #names = new Map<string, Set<string>>();
  readonly #urls = new Map<string, string>();
  readonly #origins = new Map<string, Set<string>>();

  constructor(
    view: readonly VisibleEntry[],
    options: ExportOptions,
    private readonly client: RuleClient,
  ) {
    const all = { ...options, platform: 'any' as const, include: new Set<never>() };
    for (const entry of view) {
      for (const way of waysOf(entry)) {
        const { rendered = [] } = tryWay(way, (notes) => wayRules(way, all, notes));
        for (const rule of rendered) this.#add(rule, entry.server.name);
      }
    }
  }

  /** Returns the other entries that the rules admit as well; throws `Omitted` where that is not the very same identity. */
  sharedWith({ server }: VisibleEntry, rules: readonly Rule[], notes: Notes): readonly string[] {
    const names = new Set<string>();
    for (const rule of rules) {
      if ('serverUrl' in rule) this.#demandOnlyOwn(rule.serverUrl, server.name, notes);
      for (const name of this.#names.get(this.#keyOf(rule)) ?? []) names.add(name);
    }
    names.delete(server.name);
    if (names.size > 0) notes.add('same-command-as');
    return [...names].toSorted();
  }

  #demandOnlyOwn(url: string, own: string, notes: Notes): void {
    const isOther = (names: ReadonlySet<string> | undefined) =>
      names !== undefined && (names.size > 1 || !names.has(own));
    if (url.includes('*')) {
      const pattern = toPattern(url);
      for (const [key, each] of this.#urls) {
        if (pattern.test(each) && isOther(this.#names.get(key))) throw new Omitted('variable-in-url');
      }
      return;
    }
    const { pathname, search, origin } = new URL(url);
    if (!this.client.isRootUncertain || pathname !== '/' || search !== '') return;
    if (isOther(this.#origins.get(origin))) throw new Omitted('same-origin');
    notes.add('root-path-uncertain');
  }

  #add(rule: Rule, name: string): void {
    const key = this.#keyOf(rule);
    addTo(this.#names, key, name);
    if (!('serverUrl' in rule)) return;
    this.#urls.set(key, rule.serverUrl);
    addTo(this.#origins, new URL(rule.serverUrl).origin, name);
  }

  #keyOf(rule: Rule): string {
    if ('serverUrl' in rule) return `url ${this.client.urlKey(rule.serverUrl)}`;
    return JSON.stringify(rule);
  }
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

/** The widest reading of a wildcard in the authority, as any of the clients has it. */
function toPattern(url: string): RegExp {
  const [head = '', tail = ''] = url.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${head}[^/]*${tail}$`, 'i');
}

/** Deny rules win everywhere, so one that would match an allowed entry is left out. */
function toDenyRules(
  denied: readonly VisibleEntry[],
  options: ExportOptions,
  client: RuleClient,
  allowed: readonly Rule[],
): { rules: readonly Rule[]; isCut: boolean } {
  const keyOf = (rule: Rule) => ('serverUrl' in rule ? client.urlKey(rule.serverUrl) : JSON.stringify(rule));
  const admitted = new Set(allowed.map(keyOf));
  const allowedNames = new Set(options.view.flatMap((entry) => namesOf(entry)));
  const everything = {
    ...options,
    platform: 'any' as const,
    dialects: new Set<Dialect>(['portable', 'vscode', 'apm']),
  };
  const rules = denied
    .toSorted(byText(({ server }) => server.name))
    .flatMap((entry): Rule[] => [
      ...waysOf(entry).flatMap((way) => tryWay(way, (notes) => wayRules(way, everything, notes)).rendered ?? []),
      ...namesOf(entry).map((serverName): Rule => ({ serverName })),
    ]);
  const kept = rules.filter((rule) =>
    'serverName' in rule ? !allowedNames.has(rule.serverName) : !admitted.has(keyOf(rule)),
  );
  return { rules: uniqueRules(kept), isCut: kept.length < rules.length };
}

function namesOf({ server, shortName }: VisibleEntry): string[] {
  return [server.name, ...(shortName === undefined ? [] : [shortName])];
}
