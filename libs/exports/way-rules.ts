import type { ServerPackage, ServerRemote } from '#domain/server-document.js';
import { fixedText, inputsOf } from './inputs.js';
import { DIALECTS } from './export-options.js';
import type { Dialect, ExportOptions } from './export-options.js';
import type { Notes, UserInput, Value } from './inputs.js';
import { apmLine } from './launch/apm.js';
import { portableLaunch } from './launch/portable.js';
import { vscodeLine } from './launch/vscode.js';
import { memoizeWay } from './memoize-way.js';
import { Omitted } from './omission.js';
import { remoteUrl } from './remotes.js';
import type { Way } from './ways.js';

/** The selector of one rule of a policy. */
export type Rule =
  { readonly serverUrl: string } | { readonly serverCommand: readonly string[] } | { readonly serverName: string };

/** A rule with its keys for comparison, which are computed once. */
export interface KeyedRule {
  readonly rule: Rule;
  /** Rules with equal keys are equal. */
  readonly key: string;
  /** If two rules have equal identities, the client treats what they admit as the same. */
  readonly identity: string;
  /** Platform of a command that is written for only one platform. */
  readonly platform?: 'posix' | 'windows';
}

const MAX_CHOICES = 16;

/**
 * Creates the rules for single launch options. The rules are memoized, because a policy needs them for an entry and
 * again for its whole view.
 */
export class WayRules {
  readonly #commands = memoizeWay((pack: ServerPackage, notes) => this.#commandRules(pack, notes));
  readonly #urls = memoizeWay((remote: ServerRemote, notes) => this.#urlRule(remote, notes));
  readonly #unusedNotes: Notes = new Set();

  constructor(
    private readonly dialects: ReadonlySet<Dialect>,
    private readonly urlKey: (url: string) => string,
  ) {}

  /**
   * Returns the rules for a launch option. Throws `Omitted` if the identity of the launch option depends on the user.
   */
  of(way: Way, { platform, include }: Pick<ExportOptions, 'platform' | 'include'>, notes: Notes): readonly KeyedRule[] {
    if (way.kind === 'remote') {
      const { value, rule } = this.#urls(way.remote, notes);
      return [rule ?? this.#templateRule(value, include, notes)];
    }
    const rules = this.#commands(way.pack, notes);
    if (platform === 'any') return rules;
    const wanted = rules.filter((rule) => rule.platform === undefined || rule.platform === platform);
    if (wanted.length === 0) throw new Omitted('variable-in-command');
    return wanted;
  }

  /** Returns the rules for a launch option; none if its identity depends on the user. */
  identify(way: Way, options: Pick<ExportOptions, 'platform' | 'include'>): readonly KeyedRule[] {
    try {
      return this.of(way, options, this.#unusedNotes);
    } catch (error) {
      if (!(error instanceof Omitted)) throw error;
      return [];
    }
  }

  #urlRule(remote: ServerRemote, notes: Notes): { readonly value: Value; readonly rule?: KeyedRule } {
    const value = remoteUrl(remote, notes);
    const url = fixedText(value);
    if (url === undefined) return { value };
    if (url.includes('*')) throw new Omitted('wildcard-in-url');
    if (url.includes('$')) throw new Omitted('placeholder-in-url');
    return { value, rule: urlRule(url, this.urlKey) };
  }

  #templateRule(value: Value, include: ExportOptions['include'], notes: Notes): KeyedRule {
    if (!include.has('templates')) throw new Omitted('variable-in-url');
    notes.add('admits-more-than-entry');
    return urlRule(templateUrl(value), this.urlKey);
  }

  #commandRules(pack: ServerPackage, notes: Notes): readonly KeyedRule[] {
    let refusal: Omitted | undefined;
    const rules = new Map<string, KeyedRule>();
    for (const dialect of DIALECTS) {
      if (!this.dialects.has(dialect)) continue;
      try {
        for (const words of dialectLines(pack, dialect, notes)) addSpellings(words, rules);
      } catch (error) {
        if (!(error instanceof Omitted)) throw error;
        refusal ??= error;
      }
    }
    if (rules.size === 0) throw refusal ?? new Omitted('variable-in-command');
    return [...rules.values()];
  }
}

function urlRule(serverUrl: string, urlKey: (url: string) => string): KeyedRule {
  return { rule: { serverUrl }, key: `url\n${serverUrl}`, identity: `url\n${urlKey(serverUrl)}` };
}

export function nameRule(serverName: string): KeyedRule {
  const key = `name\n${serverName}`;
  return { rule: { serverName }, key, identity: key };
}

function commandRule(serverCommand: readonly string[], platform?: KeyedRule['platform']): KeyedRule {
  // No argument contains a line feed, so it is a safe separator.
  const key = `command\n${serverCommand.join('\n')}`;
  return { rule: { serverCommand }, key, identity: key, ...(platform && { platform }) };
}

/** Returns the rules without duplicates. */
export function uniqueRules(rules: readonly KeyedRule[]): KeyedRule[] {
  if (rules.length < 2) return [...rules];
  return Array.from(new Map(rules.map((rule) => [rule.key, rule])).values());
}

/**
 * Returns the command lines with which a client of this dialect can start a package. Of the notes about rendering, only
 * those of our own client files are kept.
 */
function dialectLines(pack: ServerPackage, dialect: Dialect, notes: Notes): readonly (readonly string[])[] {
  const own: Notes = new Set();
  const line = lineOf(dialect, pack, own);
  if (!line) return [];
  const lines = linesOf(line, own);
  if (dialect === 'apm') notes.add('admits-more-than-entry');
  if (dialect === 'portable') for (const note of own) notes.add(note);
  return lines;
}

function lineOf(dialect: Dialect, pack: ServerPackage, notes: Notes): readonly Value[] | undefined {
  if (dialect === 'vscode') return vscodeLine(pack, notes);
  if (dialect === 'apm') return apmLine(pack, notes);
  const { command, args } = portableLaunch(pack, notes);
  return [[command], ...args];
}

/** Returns the possible lines of a command: one, or one for each combination of choices. */
function linesOf(line: readonly Value[], notes: Notes): readonly (readonly string[])[] {
  const choices = line.map(textsOf);
  const count = choices.reduce((product, { length }) => product * length, 1);
  if (count > MAX_CHOICES) throw new Omitted('variable-in-command');
  if (notes.has('default-used')) notes.add('default-value-only');
  if (choices.some((texts) => texts.some((text) => text.includes('$')))) {
    throw new Omitted('variable-in-command', 'the command contains a dollar sign');
  }
  if (count === 1) return [choices.map(([text]) => text as string)];
  // The last argument varies fastest.
  return Array.from({ length: count }, (_, number) => {
    let rest = number;
    const words = choices.toReversed().map((texts) => {
      const text = texts[rest % texts.length] as string;
      rest = Math.floor(rest / texts.length);
      return text;
    });
    return words.toReversed();
  });
}

/** Returns the possible strings of a value, which are all choices including the default. */
function textsOf(value: Value): readonly string[] {
  const [only] = value;
  if (value.length === 1 && typeof only === 'string') return [only];
  return value.reduce<string[]>(
    (texts, part) => {
      const choices = typeof part === 'string' ? [part] : choicesOf(part);
      if (choices.length === 0)
        throw new Omitted('variable-in-command', 'the command contains a value that the user provides');
      if (texts.length * choices.length > MAX_CHOICES) throw new Omitted('variable-in-command');
      return texts.flatMap((text) => choices.map((choice) => text + choice));
    },
    [''],
  );
}

function choicesOf({ choices = [], default: proposed }: UserInput): readonly string[] {
  return proposed === undefined || choices.includes(proposed) ? choices : [...choices, proposed];
}

/** Programs that are scripts on Windows and are therefore started through its command interpreter. */
const SCRIPTS: ReadonlySet<string> = new Set(['npx', 'dnx', 'uvx']);
/** Characters that the command interpreter of Windows would interpret. */
const INTERPRETED = /[&|<>^%!"()\r\n]/;

function addSpellings(words: readonly string[], rules: Map<string, KeyedRule>): void {
  const add = (rule: KeyedRule) => rules.set(rule.key, rule);
  if (!SCRIPTS.has(words[0] as string)) return void add(commandRule(words));
  add(commandRule(words, 'posix'));
  if (!words.some((word) => INTERPRETED.test(word))) add(commandRule(['cmd', '/c', ...words], 'windows'));
}

/** At least two literal labels must follow the wildcard, or it could match a domain of another owner. */
const TEMPLATE = /^(https?:\/\/)\*(\.[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:\/[^*$]*)?)$/;

function templateUrl(value: Value): string {
  const isOnly = inputsOf(value).length === 1;
  const text = value.map((part) => (typeof part === 'string' ? part : '*')).join('');
  const [, scheme, rest] = TEMPLATE.exec(text) ?? [];
  if (!isOnly || scheme === undefined || rest === undefined) throw new Omitted('variable-in-url');
  return `${scheme}*${rest.includes('/') ? rest : `${rest}/`}`;
}
