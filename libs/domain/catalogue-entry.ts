/** Where an entry is in its life, as the official registry's `_meta` block says it. */
export const LIFECYCLE_STATUSES = ['active', 'deprecated', 'deleted'] as const;

export type LifecycleStatus = (typeof LIFECYCLE_STATUSES)[number];

/** What the registry that an entry was read from says of its life. Times are RFC 3339 in UTC, with all digits that were given. */
export interface Lifecycle {
  readonly status: LifecycleStatus;
  readonly statusMessage?: string;
  readonly statusChangedAt?: string;
  readonly publishedAt?: string;
  readonly updatedAt?: string;
}

/** One version of one MCP server, as a source's reader hands it on: valid, converted, ready to be stored. */
export interface CatalogueEntry {
  /** What the source itself calls it (the map key in ToolHive's format); name filters match this or `name`. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** The server.json document, byte for byte as it will be served. */
  readonly serverJson: string;
  readonly title: string | undefined;
  readonly description: string;
  readonly tags: readonly string[];
  /** How it is run and reached (server-facets.ts), to filter by. */
  readonly facets: readonly string[];
  readonly status: Exclude<LifecycleStatus, 'deleted'>;
  /** Absent where the source has none. With status `deleted` the entry is a tombstone, whatever `status` above says. */
  readonly lifecycle?: Lifecycle;
}

/** An entry that cannot be served, and why; the rest of its source is served all the same. */
export interface QuarantinedEntry {
  readonly key: string;
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** Where in the entry the fault is, as in `packages[0].transport.url`; empty for the entry as a whole. */
  readonly path: string;
  readonly message: string;
  /** With status `deleted` its source has taken it back: then its last good version must go as well. */
  readonly lifecycle?: Lifecycle;
}
