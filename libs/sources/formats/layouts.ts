import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { shortened } from '#domain/shortened.js';
import type { SourceFormat } from '#domain/source-format.js';
import type { EntryText } from './entry-text.js';
import type { Container, Slice } from './json-cutter.js';
import { readIdentity } from './read-identity.js';
import type { Identity } from './read-identity.js';
import { exportedEntry } from './exported-object.js';
import { toQualifiedEntry } from './default-namespace.js';
import { convertRemote, convertServer, servedName } from './toolhive.js';

/** The formats of files: those that users write, and the one for objects of a cluster. */
export type FileFormat = SourceFormat | 'objects';

/** A place in a format that contains entries. */
export interface Section {
  readonly container: string;
  readonly root: Container;
  /** Whether each entry is a separate file, whose path is its key. */
  readonly holdsFiles?: boolean;
  /**
   * Whether entries are read even if they are already stored. This is affordable because they are few, and needed
   * because the notices cover all of them.
   */
  readonly isReadWhole?: boolean;
  /** Converts an entry. `defaultNamespace` is that of the source, for names without a slash. */
  convert(slice: Slice, entry: EntryText, defaultNamespace?: string): CatalogueEntry;
  /** Returns the identity of an invalid entry, for formats in which its value alone does not contain it. */
  identify?(slice: Slice, defaultNamespace?: string): Identity;
}

export interface Layout {
  /**
   * The sections in order of precedence. Each is read in a separate pass, because a file may contain them in any order.
   */
  readonly sections: readonly Section[];
  /** Describes what is missing in the file. Returns undefined if it is complete. */
  missing(document: Document): string | undefined;
}

/** The part of a file around the entries. */
export interface Document {
  /** The first character of the value of each member that is not a container, such as `version` or `data.groups`. */
  readonly outline: Map<string, string>;
  /** Small values that a catalogue must have: `version`, `meta`, … */
  readonly values: Map<string, unknown>;
  readonly entered: ReadonlySet<string>;
  /** Whether messages must not quote values. */
  readonly hidesContent: boolean;
}

/** The location of the entries in each format, and what must be around them. */
export const LAYOUTS: Record<FileFormat, Layout> = {
  toolhive: {
    sections: [
      toolhiveSection('servers', (slice, { value }, namespace) => convertServer(String(slice.key), value, namespace)),
      toolhiveSection('remote_servers', (slice, { value }, namespace) =>
        convertRemote(String(slice.key), value, namespace),
      ),
    ],
    missing: ({ values, outline, entered, hidesContent }) =>
      (entered.has('servers') ? undefined : '"servers", an object with an entry for each name, is missing') ??
      (outline.has('remote_servers') && outline.get('remote_servers') !== '{'
        ? '"remote_servers" must be an object with an entry for each name'
        : undefined) ??
      wrongVersion(values.get('version'), hidesContent) ??
      wrongTime('last_updated', values.get('last_updated'), hidesContent),
  },
  upstream: {
    sections: [
      {
        container: 'data.servers',
        root: container('', '{', { data: container('data', '{', { servers: container('data.servers', '[') }) }),
        convert: (_slice, entry, namespace) => toQualifiedEntry(entry, namespace),
      },
    ],
    missing: ({ values, entered, hidesContent }) =>
      (entered.has('data.servers') ? undefined : '"data.servers", a list of servers, is missing') ??
      wrongVersion(values.get('version'), hidesContent) ??
      wrongTime(
        'meta.last_updated',
        (values.get('meta') as { last_updated?: unknown } | null | undefined)?.last_updated,
        hidesContent,
      ),
  },
  objects: {
    sections: [
      {
        container: 'items',
        root: container('', '{', { items: container('items', '[') }),
        isReadWhole: true,
        convert: (_slice, { value }) => exportedEntry(value),
      },
    ],
    missing: () => undefined,
  },
};

function container(name: string, opener: '{' | '[', members: Record<string, Container> = {}): Container {
  return {
    name,
    opener,
    inside: (key) => (Object.hasOwn(members, key) ? members[key] : undefined),
    holdsEntries: Object.keys(members).length === 0,
  };
}

function toolhiveSection(name: string, convert: Section['convert']): Section {
  return {
    container: name,
    root: container('', '{', { [name]: container(name, '{') }),
    convert,
    identify: ({ key, bytes, head }, namespace) => {
      const text = bytes ?? head;
      const identity = text ? readIdentity(text) : {};
      return { ...identity, name: servedName(identity.name, String(key), namespace) };
    },
  };
}

function wrongVersion(version: unknown, hidesContent: boolean): string | undefined {
  if (version === undefined) return '"version", such as "1.0.0", is missing';
  const isVersion = typeof version === 'string' && /^\d+\.\d+\.\d+/.test(version);
  return isVersion
    ? undefined
    : `"version" must be text such as "1.0.0"${hidesContent ? '' : `, not ${shown(version)}`}`;
}

const SHOWN_LIMIT = 40;

/** Returns a value as JSON, truncated for a message. */
function shown(value: unknown): string {
  return shortened(JSON.stringify(value), SHOWN_LIMIT);
}

function wrongTime(name: string, time: unknown, hidesContent: boolean): string | undefined {
  if (time === undefined) return `"${name}", such as "2026-01-31T12:00:00Z", is missing`;
  const isTime = typeof time === 'string' && !Number.isNaN(Date.parse(time));
  return isTime
    ? undefined
    : `"${name}" must be a time such as "2026-01-31T12:00:00Z"${hidesContent ? '' : `, not ${shown(time)}`}`;
}
