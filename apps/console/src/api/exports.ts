import type { Scope } from './servers.js';

/** Response of `registry/exports`: the available export formats of the catalogue. */
export interface ExportIndex {
  readonly formats: readonly ExportFormat[];
}

export interface ExportFormat {
  readonly id: string;
  /** File name that the client expects. */
  readonly file: string;
  readonly purpose: 'policy' | 'client' | 'registry';
  readonly client: string;
  readonly status: string;
  /** A sentence that says where to put the file. */
  readonly wherePut?: string;
}

export interface InstallLinks {
  readonly entries: readonly {
    readonly name: string;
    readonly shortName: string;
    readonly links: Readonly<Record<string, string>>;
    readonly commands?: Readonly<Record<string, readonly string[]>>;
  }[];
}

export interface ExportReport {
  readonly entries: readonly {
    readonly name: string;
    readonly status: string;
    readonly reason?: string;
    readonly detail?: string;
    readonly notes?: readonly string[];
    readonly ways?: readonly {
      readonly way: string;
      readonly status: string;
      readonly reason?: string;
      readonly detail?: string;
      readonly notes?: readonly string[];
    }[];
  }[];
}

/** Returns the path of the exports of one source, or of the whole registry if `scope` is undefined. */
export const exportsPath = (scope: Scope): string =>
  scope === undefined ? 'registry/exports' : `registry/${encodeURIComponent(scope)}/exports`;

const only = (name: string): string => `?${new URLSearchParams({ names: name })}`;

export const exportPath = (format: string, name: string, scope: Scope): string =>
  `${exportsPath(scope)}/${encodeURIComponent(format)}${only(name)}`;

export const reportPath = (format: string, name: string, scope: Scope): string =>
  `${exportsPath(scope)}/${encodeURIComponent(format)}/report${only(name)}`;

export const installLinksPath = (name: string, scope: Scope): string =>
  `${exportsPath(scope)}/install-links${only(name)}`;
