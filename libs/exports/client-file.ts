import type { ServerPackage } from '#domain/server-document.js';
import type { EntryResult, Rendered } from './export-format.js';
import type { ExportOptions } from './export-options.js';
import { inputsOf } from './inputs.js';
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
  /** What the client would replace in a literal text; undefined: nothing. */
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
    const settled = value.map((part) => this.#settle(part));
    const { inputPlaces, leftOutPlaces } = this.syntax;
    if (inputsOf(settled).length > 0 && !inputPlaces.has(place)) {
      if (!leftOutPlaces?.has(place)) throw new Omitted('needs-input');
      this.notes.add('user-must-add');
      return undefined;
    }
    return settled.map((part) => this.#writePart(part, place, plainName)).join('');
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

  #writePart(part: string | UserInput, place: Place, plainName?: string): string {
    if (typeof part !== 'string') {
      if (this.syntax.isByHand) this.notes.add('user-must-add');
      const name = this.names.nameOf(part, plainName);
      this.inputs.push({ name, input: part });
      return this.syntax.placeholder(name, this.key);
    }
    const { expands } = this.syntax;
    if (expands?.test(part)) {
      const isCommand = place === 'args' || place === 'env';
      throw new Omitted(isCommand ? 'variable-in-command' : 'placeholder-in-url');
    }
    if (part.includes('$')) this.notes.add('literal-dollar');
    return part;
  }
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

/** Renders a file that holds one way of each entry, under its short name. */
export function renderClientFile<Server>(
  entries: readonly VisibleEntry[],
  options: ExportOptions,
  file: ClientFile<Server>,
): Rendered {
  const sorted = entries.toSorted(byText(({ server }) => server.name));
  const faults: unknown[] = [];
  const servers: { key: string; server: Server }[] = [];
  const results = sorted.map((entry): EntryResult => {
    try {
      const { result, server } = renderEntry(entry, options, file);
      if (server !== undefined) servers.push({ key: entry.shortName as string, server });
      return result;
    } catch (error) {
      faults.push(error);
      return toEntryResult(entry, [], { reason: 'internal' });
    }
  });
  servers.sort(byText(({ key }) => key));
  return { text: file.write(servers, options), results, notes: file.notes ?? [], faults };
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
