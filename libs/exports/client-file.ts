import type { ServerPackage, ServerRemote } from '#domain/server-document.js';
import { EntryFaults } from './entry-faults.js';
import type { EntryResult } from './entry-result.js';
import type { Rendered } from './export-format.js';
import type { ExportOptions } from './export-options.js';
import { fixedText, inputsOf, joinTexts } from './inputs.js';
import type { Notes, UserInput, Value } from './inputs.js';
import { portableLaunch } from './launch/portable.js';
import type { Launch } from './launch/launch.js';
import { memoizeWay } from './memoize-way.js';
import { Omitted } from './omission.js';
import type { NoteName, OmissionReason } from './omission.js';
import { PlaceholderNames } from './placeholder-names.js';
import { toRemoteCall } from './remotes.js';
import type { RemoteCall } from './remotes.js';
import type { VisibleEntry } from './visible-entry.js';
import { byText, demandWanted, omittedWay, toEntryResult, tryWay, waysOf } from './ways.js';
import type { Way } from './ways.js';

export type Place = 'args' | 'env' | 'url' | 'headers';

/** How a client reads and writes values in its file. */
export interface ClientSyntax {
  /**
   * Matches what the client would replace in a literal string. The default is `${`, in case another program reads the
   * file.
   */
  readonly expands?: RegExp;
  /** Places where an input may appear. A package or remote that requires an input elsewhere is omitted. */
  readonly inputPlaces: ReadonlySet<Place>;
  /** Places where an input is left out, so that the user has to add it to the file. */
  readonly leftOutPlaces?: ReadonlySet<Place>;
  /** Returns the placeholder for an input. `name` is the name of the placeholder, `key` that of the server. */
  placeholder(name: string, key: string): string;
  /** Whether the names of placeholders are scoped to their server, so that they need no prefix. */
  readonly isScoped?: boolean;
  /** Whether the user replaces placeholders by hand. */
  readonly isByHand?: boolean;
  /** Whether the client asks for an input that has choices and a default; otherwise the default is written. */
  readonly asksForChoices?: boolean;
}

/** Matches the start of a variable in the syntax of most clients, for which a bare `$NAME` is literal. */
export const DOLLAR_BRACE = /\$\{/;

/** Writes the values of one way (a package or a remote) in the syntax of a client. */
export class ValueWriter {
  /** The inputs written so far, with the names of their placeholders. */
  readonly inputs: { readonly name: string; readonly input: UserInput }[] = [];

  constructor(
    private readonly key: string,
    private readonly syntax: ClientSyntax,
    private readonly names: PlaceholderNames,
    private readonly notes: Notes,
  ) {}

  /**
   * Returns a value in the client's syntax; undefined if the user has to add it. Throws `Omitted` if the value is not
   * possible in this place.
   */
  write(value: Value, place: Place, plainName?: string): string | undefined {
    const settled = joinTexts(value.map((part) => this.#settle(part)));
    const { inputPlaces, leftOutPlaces } = this.syntax;
    if (inputsOf(settled).length > 0 && !inputPlaces.has(place)) {
      if (!leftOutPlaces?.has(place)) throw new Omitted('needs-input');
      this.notes.add('user-must-add');
      return undefined;
    }
    this.#demandLiteral(settled, place);
    return settled.map((part) => (typeof part === 'string' ? part : this.#ask(part, plainName))).join('');
  }

  /** Returns a value without inputs as a string; undefined if it has inputs. Throws `Omitted` like `write`. */
  fixed(value: Value, place: Place): string | undefined {
    const text = fixedText(value);
    if (text !== undefined) this.#demandLiteral([text], place);
    return text;
  }

  list(values: readonly Value[]): string[] {
    return values.map((value) => this.write(value, 'args') as string);
  }

  map(values: readonly { readonly name: string; readonly value: Value }[], place: Place): Record<string, string> {
    const written = values.flatMap(({ name, value }): [string, string][] => {
      const text = this.write(value, place, place === 'env' ? name : undefined);
      return text === undefined ? [] : [[name, text]];
    });
    return Object.fromEntries(written);
  }

  #settle(part: string | UserInput): string | UserInput {
    if (typeof part === 'string' || part.default === undefined || this.syntax.asksForChoices) return part;
    return part.default;
  }

  #ask(input: UserInput, plainName?: string): string {
    if (this.syntax.isByHand) this.notes.add('user-must-add');
    const name = this.names.nameOf(input, plainName);
    this.inputs.push({ name, input });
    return this.syntax.placeholder(name, this.key);
  }

  /**
   * Throws `Omitted` if the literal parts of a value, joined as the client reads them, contain something that the
   * client would replace.
   */
  #demandLiteral(value: Value, place: Place): void {
    const { expands = DOLLAR_BRACE } = this.syntax;
    const literal = value.map((part) => (typeof part === 'string' ? part : '')).join('');
    if (expands.test(literal) || mayBecome(value, expands)) {
      const isCommand = place === 'args' || place === 'env';
      throw new Omitted(isCommand ? 'variable-in-command' : 'placeholder-in-url');
    }
    if (literal.includes('$')) this.notes.add('literal-dollar');
  }
}

/**
 * Whether a default or choice of an input, alone or with the adjacent characters, forms something that a client would
 * replace.
 */
function mayBecome(value: Value, expands: RegExp): boolean {
  const textAt = (index: number) => (typeof value[index] === 'string' ? value[index] : '');
  return value.some((part, index) => {
    if (typeof part === 'string') return false;
    const proposed = [...(part.choices ?? []), ...(part.default === undefined ? [] : [part.default])];
    return proposed.some((text) => expands.test(textAt(index - 1).slice(-1) + text + textAt(index + 1).slice(0, 1)));
  });
}

export interface ClientFile<Server> {
  readonly syntax: ClientSyntax;
  /** Converts a local server; undefined if the client starts no local servers. */
  readonly stdio?: (launch: Launch, context: WayContext) => Server;
  /** Converts the package itself, instead of `stdio`, for a client that builds commands on its own. */
  readonly pack?: (pack: ServerPackage, context: WayContext) => Server;
  readonly remote?: (call: RemoteCall, context: WayContext) => Server;
  /** Returns why a client does not support the transport of a package or remote; undefined if it does. */
  refuse?(way: Way): OmissionReason | undefined;
  write(servers: readonly KeyedServer<Server>[], options: ExportOptions): string;
  readonly notes?: readonly NoteName[];
}

export interface WayContext {
  readonly key: string;
  readonly writer: ValueWriter;
  readonly notes: Notes;
  readonly options: ExportOptions;
  readonly entry: VisibleEntry;
  /** The package that is launched; undefined for a remote. */
  readonly pack?: ServerPackage;
  /** The remote that is called; undefined for a package. */
  readonly endpoint?: ServerRemote;
}

/**
 * Renders a file with one way (a package or a remote) of each entry, under its short name. An entry that makes the file
 * fail `check` is omitted.
 */
export function renderClientFile<Server>(
  entries: readonly VisibleEntry[],
  options: ExportOptions,
  file: ClientFile<Server>,
  check: (text: string) => void,
): Rendered {
  const { servers, results, faults } = renderServers(entries, options, file);
  const notes = file.notes ?? [];
  let text = '';
  const isAccepted = (some: readonly KeyedServer<Server>[]) => {
    try {
      text = file.write(some, options);
      check(text);
      return true;
    } catch {
      return false;
    }
  };
  if (isAccepted(servers)) return { text, results, notes, faults };
  const refused = new Set(refusedAmong(servers, isAccepted));
  const keys = new Set(Array.from(refused, ({ key }) => key));
  return {
    text: file.write(
      servers.filter((server) => !refused.has(server)),
      options,
    ),
    results: results.map((result) => (keys.has(result.shortName ?? '') ? omitRefused(result) : result)),
    notes,
    faults,
  };
}

/** A server in a client file, under its short name. */
export interface KeyedServer<Server> {
  readonly key: string;
  readonly server: Server;
}

/** Returns the commands that start packages and the calls that reach remotes. */
export interface Calls {
  launch(pack: ServerPackage, notes: Notes): Launch;
  remote(remote: ServerRemote, notes: Notes): RemoteCall;
}

const directCalls: Calls = { launch: portableLaunch, remote: toRemoteCall };

/** Memoizes commands and calls, for an entry that is rendered for more than one client. */
export function memoizedCalls(): Calls {
  return { launch: memoizeWay(portableLaunch), remote: memoizeWay(toRemoteCall) };
}

/** Renders one way of each entry, without writing or checking a file. The servers are sorted by key. */
function renderServers<Server>(
  entries: readonly VisibleEntry[],
  options: ExportOptions,
  file: ClientFile<Server>,
): { servers: KeyedServer<Server>[]; results: EntryResult[]; faults: readonly unknown[] } {
  const faults = new EntryFaults();
  const servers: KeyedServer<Server>[] = [];
  const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
    const rendered = faults.guard(entry, () => {
      const { result, server } = renderEntry(entry, options, file, directCalls);
      if (server !== undefined) servers.push({ key: entry.shortName as string, server });
      return result;
    });
    return rendered ?? toEntryResult(entry, [], { reason: 'internal' });
  });
  servers.sort(byText(({ key }) => key));
  return { servers, results, faults: faults.all };
}

/**
 * Returns the items that a check rejects, found by bisection. A valid list needs one check, a list with one invalid
 * item a few.
 */
function refusedAmong<T>(items: readonly T[], isAccepted: (some: readonly T[]) => boolean): readonly T[] {
  if (items.length === 0 || isAccepted(items)) return [];
  if (items.length === 1) return items;
  const middle = items.length >> 1;
  return [...refusedAmong(items.slice(0, middle), isAccepted), ...refusedAmong(items.slice(middle), isAccepted)];
}

function omitRefused(result: EntryResult): EntryResult {
  const refusal = {
    status: 'omitted',
    reason: 'fails-client-schema',
    detail: 'the client would refuse the whole file because of this entry',
  } as const;
  const ways = result.ways.map((way) => (way.status === 'exported' ? { ...way, ...refusal } : way));
  return { ...result, ...refusal, ways };
}

/** Renders the first package or remote of an entry that the file of a client can express. */
export function renderEntry<Server>(
  entry: VisibleEntry,
  options: ExportOptions,
  file: ClientFile<Server>,
  calls: Calls,
): { result: EntryResult; server?: Server } {
  const { shortName } = entry;
  if (shortName === undefined) {
    return { result: toEntryResult(entry, [], { reason: 'internal', detail: 'its short name is not unique' }) };
  }
  let taken: { readonly kind: Way['kind']; readonly server: Server } | undefined;
  const byWay = new Map<string, EntryResult['ways'][number]>();
  const ways = waysOf(entry);
  for (const way of inPreference(ways, options.prefer)) {
    if (taken) {
      const notes: Notes = new Set(way.kind === 'remote' && taken.kind === 'remote' ? ['second-remote-ignored'] : []);
      byWay.set(way.name, omittedWay(way, { reason: 'not-preferred' }, notes));
      continue;
    }
    const { result, rendered } = tryWay(way, (notes) => renderWay(way, entry, shortName, options, file, notes, calls));
    byWay.set(way.name, result);
    if (result.status === 'exported') taken = { kind: way.kind, server: rendered as Server };
  }
  const result = toEntryResult(
    entry,
    ways.map(({ name }) => byWay.get(name) as EntryResult['ways'][number]),
  );
  return { result, ...(taken && { server: taken.server }) };
}

/** Sorts packages and remotes by preference: the preferred kind first, and among remotes those that clients prefer. */
function inPreference(ways: readonly Way[], prefer: ExportOptions['prefer']): Way[] {
  const rank = (way: Way) =>
    (way.kind === prefer ? 0 : 2) + (way.kind === 'remote' && way.remote.type === 'sse' ? 1 : 0);
  return ways.toSorted((a, b) => rank(a) - rank(b));
}

function renderWay<Server>(
  way: Way,
  entry: VisibleEntry,
  key: string,
  options: ExportOptions,
  file: ClientFile<Server>,
  notes: Notes,
  calls: Calls,
): Server {
  demandWanted(way, options);
  const refused = file.refuse?.(way);
  if (refused) throw new Omitted(refused);
  const { syntax } = file;
  const names = new PlaceholderNames(key, syntax.isScoped ? 'plain' : options.env);
  const writer = new ValueWriter(key, syntax, names, notes);
  const of = way.kind === 'package' ? { pack: way.pack } : { endpoint: way.remote };
  const context = { key, writer, notes, options, entry, ...of };
  if (way.kind === 'package') {
    if (file.pack) return file.pack(way.pack, context);
    if (!file.stdio) throw new Omitted('stdio-unsupported');
    return file.stdio(calls.launch(way.pack, notes), context);
  }
  if (!file.remote) throw new Omitted('remote-unsupported');
  return file.remote(calls.remote(way.remote, notes), context);
}

/** Removes empty fields. */
export function present<T extends object>(fields: T): Partial<T> {
  const isEmpty = (value: unknown) =>
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))) as Partial<T>;
}
