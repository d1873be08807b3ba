import type { VisibleEntry } from './visible-entry.js';

/** The parsed parameters of an export. Every format accepts all of them, and ignores those that it does not use. */
export interface ExportOptions {
  /** Transports of the packages and remotes to export; undefined for all. */
  readonly transports?: ReadonlySet<'stdio' | 'http' | 'sse'>;
  readonly prefer: 'remote' | 'package';
  readonly pinned: 'any' | 'only';
  readonly platform: 'any' | 'posix' | 'windows';
  readonly dialects: ReadonlySet<Dialect>;
  readonly include: ReadonlySet<'server-names' | 'templates'>;
  readonly env: 'prefixed' | 'plain';
  readonly overridable: boolean;
  /**
   * Entries to emit as deny rules; undefined if none were requested. A format may iterate over them several times, but
   * must not keep them, because there can be more than fit into memory.
   */
  readonly denied?: Iterable<VisibleEntry>;
  /**
   * All entries of the view, before any filter; undefined if they are the entries to export. No rule may allow one of
   * them by accident. Formats use them like `denied`.
   */
  readonly view?: Iterable<VisibleEntry>;
  /** Entries to export that are too large for it. Only their names and versions are known. */
  readonly tooLarge?: readonly VisibleEntry[];
  /** Maximum length of the text. A format may throw `TextTooLong` as soon as it knows that the text is longer. */
  readonly maxLength?: number;
  /** Name of the registry or view, for formats that contain it. */
  readonly registry: string;
  /** Time of the last change of the catalogue, for formats that require a time. */
  readonly changedAtMs: number;
}

/** The spellings of launch commands, by the clients that build them. */
export const DIALECTS = ['portable', 'vscode', 'apm'] as const;
export type Dialect = (typeof DIALECTS)[number];

export const DEFAULT_OPTIONS: ExportOptions = {
  prefer: 'remote',
  pinned: 'any',
  platform: 'any',
  dialects: new Set<Dialect>(['portable', 'vscode']),
  include: new Set(),
  env: 'prefixed',
  overridable: false,
  registry: 'registry',
  changedAtMs: 0,
};
