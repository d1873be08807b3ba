import type { ServerPackage } from '#domain/server-document.js';
import type { EntryResult, Rendered } from './export-format.js';
import type { ExportOptions } from './export-options.js';
import { fixedText, inputsOf, joinTexts } from './inputs.js';
import type { Notes, UserInput, Value } from './inputs.js';
import { portableLaunch } from './launch/portable.js';
import type { Launch } from './launch/launch.js';
import { Omitted } from './omission.js';
import type { NoteName, OmissionReason } from './omission.js';
import { PlaceholderNames } from './placeholder-names.js';
import { toRemoteCall } from './remotes.js';
import type { RemoteCall } from './remotes.js';
import type { VisibleEntry } from './visible-entry.js';
import { byText, demandWanted, omittedWay, toEntryResult, tryWay, waysOf } from './ways.js';
import type { Way } from './ways.js';

export type Place = 'args' | 'env' | 'url' | 'headers';

/** How a client writes and reads values in its file. */
export interface ClientSyntax {
  /** What the client would replace in a literal text; by default `${`, for a reader of the file that is not its client. */
  readonly expands?: RegExp;
  /** Where an input may stand; elsewhere a required one omits the way. */
  readonly inputPlaces: ReadonlySet<Place>;
  /** Where an input is left out, and the user adds it to the file. */
  readonly leftOutPlaces?: ReadonlySet<Place>;
  /** Returns what stands for an input. `name`: the placeholder's; `key`: that of the server. */
  placeholder(name: string, key: string): string;
  /** Whether placeholders are named within their server, so that their names need no prefix. */
  readonly isScoped?: boolean;
  /** Whether a placeholder is text that the user replaces by hand. */
  readonly isByHand?: boolean;
  /** Whether an input with choices and a default is asked for; else the default is written. */
  readonly asksForChoices?: boolean;
}

/** Matches the beginning of a variable as most clients write it; a bare `$NAME` is literal to them. */
export const DOLLAR_BRACE = /\$\{/;

/** Writes the values of one way in a client's syntax. */
export class ValueWriter {
  /** The inputs that were written so far, by the names of their placeholders. */
  readonly inputs: { readonly name: string; readonly input: UserInput }[] = [];

  constructor(
    private readonly key: string,
    private readonly syntax: ClientSyntax,
    private readonly names: PlaceholderNames,
    private readonly notes: Notes,
  ) {}

  /** Undefined: the user has to add it. Throws `Omitted` for what the place cannot hold. */
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

  /** Returns a value that needs no input as text; undefined when it needs one. Throws `Omitted` like `write`. */
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

  /** Throws `Omitted` if the literal text of a value, joined as the client reads it, holds something that it replaces. */
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

/** Whether a default or choice of an input completes what a client replaces, by itself or with the characters beside it. */
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
  /** Undefined: the client starts no local servers. */
  readonly stdio?: (launch: Launch, context: WayContext) => Server;
  readonly remote?: (call: RemoteCall, context: WayContext) => Server;
  /** Returns why a client has no such transport; undefined: it has. */
  refuse?(way: Way): OmissionReason | undefined;
  write(servers: readonly { readonly key: string; readonly server: Server }[], options: ExportOptions): string;
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
}

/** Renders a file that holds one way of each entry, under its short name; an entry with which the file fails `check` is omitted. */
export function renderClientFile<Server>(
  entries: readonly VisibleEntry[],
  options: ExportOptions,
  file: ClientFile<Server>,
  check: (text: string) => void,
): Rendered {
  const sorted = entries.toSorted(byText(({ server }) => server.name));
  const faults: unknown[] = [];
  const servers: { key: string; server: Server }[] = [];
  const results = sorted.map((entry): EntryResult => {
    try {
      const { result, server } = renderEntry(entry, options, file);
      if (server === undefined) return result;
      const keyed = { key: entry.shortName as string, server };
      const refusal = refusalOf(() => check(file.write([keyed], options)));
      if (refusal)
        return { ...result, status: 'omitted', ...refusal, ways: result.ways.map((way) => omitTaken(way, refusal)) };
      servers.push(keyed);
      return result;
    } catch (error) {
      faults.push(error);
      return toEntryResult(entry, [], { reason: 'internal' });
    }
  });
  servers.sort(byText(({ key }) => key));
  return { text: file.write(servers, options), results, notes: file.notes ?? [], faults };
}

type Refusal = Required<Pick<EntryResult, 'reason' | 'detail'>>;

/** Returns why a file with this entry alone is none; undefined: the client accepts it. */
function refusalOf(check: () => void): Refusal | undefined {
  try {
    check();
    return undefined;
  } catch {
    return { reason: 'fails-client-schema', detail: 'the client would refuse the whole file because of this entry' };
  }
}

function omitTaken(way: EntryResult['ways'][number], refusal: Refusal): EntryResult['ways'][number] {
  return way.status === 'exported' ? { ...way, status: 'omitted', ...refusal } : way;
}

function renderEntry<Server>(
  entry: VisibleEntry,
  options: ExportOptions,
  file: ClientFile<Server>,
): { result: EntryResult; server?: Server } {
  const { shortName } = entry;
  if (shortName === undefined) {
    return { result: toEntryResult(entry, [], { reason: 'internal', detail: 'its short name is not unique' }) };
  }
  let taken: { readonly kind: Way['kind']; readonly server: Server } | undefined;
  const byWay = new Map<string, EntryResult['ways'][number]>();
  for (const way of inPreference(waysOf(entry), options.prefer)) {
    if (taken) {
      const notes: Notes = new Set(way.kind === 'remote' && taken.kind === 'remote' ? ['second-remote-ignored'] : []);
      byWay.set(way.name, omittedWay(way, new Omitted('not-preferred'), notes));
      continue;
    }
    const { result, rendered } = tryWay(way, (notes) => renderWay(way, entry, shortName, options, file, notes));
    byWay.set(way.name, result);
    if (result.status === 'exported') taken = { kind: way.kind, server: rendered as Server };
  }
  const result = toEntryResult(
    entry,
    waysOf(entry).map(({ name }) => byWay.get(name) as EntryResult['ways'][number]),
  );
  return { result, ...(taken && { server: taken.server }) };
}

/** The wanted kind first; of remotes those that clients prefer. */
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
): Server {
  demandWanted(way, options);
  const refused = file.refuse?.(way);
  if (refused) throw new Omitted(refused);
  const { syntax } = file;
  const names = new PlaceholderNames(key, syntax.isScoped ? 'plain' : options.env);
  const writer = new ValueWriter(key, syntax, names, notes);
  const context = { key, writer, notes, options, entry, ...(way.kind === 'package' && { pack: way.pack }) };
  if (way.kind === 'package') {
    if (!file.stdio) throw new Omitted('stdio-unsupported');
    return file.stdio(portableLaunch(way.pack, notes), context);
  }
  if (!file.remote) throw new Omitted('remote-unsupported');
  return file.remote(toRemoteCall(way.remote, notes), context);
}

/** Leaves out what is empty. */
export function present<T extends object>(fields: T): Partial<T> {
  const isEmpty = (value: unknown) =>
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))) as Partial<T>;
}
