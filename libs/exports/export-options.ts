import type { VisibleEntry } from './visible-entry.js';

/** The parameters of an export, parsed; all formats take all of them, and ignore those they have no use for. */
export interface ExportOptions {
  /** Ways by their transport; undefined: all. */
  readonly transports?: ReadonlySet<'stdio' | 'http' | 'sse'>;
  readonly prefer: 'remote' | 'package';
  readonly pinned: 'any' | 'only';
  readonly platform: 'any' | 'posix' | 'windows';
  readonly dialects: ReadonlySet<Dialect>;
  readonly include: ReadonlySet<'server-names' | 'templates'>;
  readonly env: 'prefixed' | 'plain';
  readonly overridable: boolean;
  /** Entries to emit as deny rules; undefined: none were asked for. */
  readonly denied?: readonly VisibleEntry[];
  /** All entries of the view, before any filter: no rule may admit one of them by accident. */
  readonly view: readonly VisibleEntry[];
  /** Name of the registry or view, for formats that hold it. */
  readonly registry: string;
  /** When the catalogue last changed, for formats that demand a time. */
  readonly changedAtMs: number;
}

export type Dialect = 'portable' | 'vscode' | 'apm';

export const DEFAULT_OPTIONS: ExportOptions = {
  prefer: 'remote',
  pinned: 'any',
  platform: 'any',
  dialects: new Set<Dialect>(['portable', 'vscode']),
  include: new Set(),
  env: 'prefixed',
  overridable: false,
  view: [],
  registry: 'registry',
  changedAtMs: 0,
};
