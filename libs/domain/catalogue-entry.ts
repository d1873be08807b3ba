/** The lifecycle state of an entry, as in the `_meta` block of the official registry. */
export const LIFECYCLE_STATUSES = ['active', 'deprecated', 'deleted'] as const;

export type LifecycleStatus = (typeof LIFECYCLE_STATUSES)[number];

/** The lifecycle of an entry according to the registry that it was read from. Times are RFC 3339 in UTC, with all given digits. */
export interface Lifecycle {
  readonly status: LifecycleStatus;
  readonly statusMessage?: string;
  readonly statusChangedAt?: string;
  readonly publishedAt?: string;
  readonly updatedAt?: string;
  /** Whether the registry says that it is the latest version of its server. */
  readonly isLatest?: boolean;
}

/** One version of one MCP server, as a source's reader hands it on: valid, converted, ready to be stored. */
export interface CatalogueEntry {
  /**
   * The name that the source itself uses: the map key in ToolHive's format, the path of a file of a folder. Name filters match this or
   * `name`.
   */
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
  /**
   * What other namespaces than the official one say in the `_meta` beside the server.json: the members of that JSON object
   * without its braces, byte for byte as they will be served. Absent where there are none.
   */
  readonly foreignMeta?: string;
}

/** An entry that cannot be served, and why; the rest of its source is served all the same. */
export interface QuarantinedEntry {
  readonly key: string;
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** The path of the fault within the entry, such as `packages[0].transport.url`; empty for the entry as a whole. */
  readonly path: string;
  readonly message: string;
  /** It is a file of a folder, and its key is the path: it may be no server at all, and stands for no other file. */
  readonly isFile?: boolean;
  /** The beginning of its description, by which an entry is known again whose name has the fault; it is not stored. */
  readonly description?: string;
  /** With status `deleted` its source has taken it back: then its last good version must go as well. */
  readonly lifecycle?: Lifecycle;
}
