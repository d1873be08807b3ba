import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { shortened } from '#domain/shortened.js';
import type { SourceFormat } from '#domain/source-format.js';
import type { EntryText } from './entry-text.js';
import type { Container, Slice } from './json-cutter.js';
import type { Identity } from './read-identity.js';
import { exportedEntry } from './exported-object.js';
import { toQualifiedEntry } from './default-namespace.js';
import { convertRemote, convertServer } from './toolhive.js';

/** What a file can be written in: a format that people write, or the one for objects of a cluster. */
export type FileFormat = SourceFormat | 'objects';

/** One place in a format where entries stand. */
export interface Section {
  readonly container: string;
  readonly root: Container;
  /** Each entry is a file of its own, whose path is its key. */
  readonly holdsFiles?: boolean;
  /** `defaultNamespace` is that of the source, for names without a slash. */
  convert(slice: Slice, entry: EntryText, defaultNamespace?: string): CatalogueEntry;
  /** Returns what an entry with a fault is called, where its value is not the entry itself. */
  identify?(slice: Slice, defaultNamespace?: string): Identity;
}

export interface Layout {
  /** In order of precedence; each is read in a pass of its own, since a file may hold them in any order. */
  readonly sections: readonly Section[];
  /** Says what the file lacks; undefined when it is whole. */
  missing(document: Document): string | undefined;
}

/** What stands around the entries. */
export interface Document {
  /** Members that are no containers, as in `version` or `data.groups`: first character of each value. */
  readonly outline: Map<string, string>;
  /** Small values that a catalogue must have: `version`, `meta`, … */
  readonly values: Map<string, unknown>;
  readonly entered: ReadonlySet<string>;
  /** Messages do not quote values. */
  readonly hidesContent: boolean;
}

/** Where each format has its entries, and what must stand around them. */
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
  return { container: name, root: container('', '{', { [name]: container(name, '{') }), convert };
}

function wrongVersion(version: unknown, hidesContent: boolean): string | undefined {
  if (version === undefined) return '"version", such as "1.0.0", is missing';
  const isVersion = typeof version === 'string' && /^\d+\.\d+\.\d+/.test(version);
  return isVersion
    ? undefined
    : `"version" must be text such as "1.0.0"${hidesContent ? '' : `, not ${shown(version)}`}`;
}

const SHOWN_LIMIT = 40;

/** Returns a value as it is in the file, shortened for a message. */
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
