/** The lifecycle state of an entry, as in the `_meta` block of the official registry. */
export const LIFECYCLE_STATUSES = ['active', 'deprecated', 'deleted'] as const;

export type LifecycleStatus = (typeof LIFECYCLE_STATUSES)[number];

/**
 * The lifecycle of an entry according to the registry from which it was read. Times are RFC 3339 in UTC, with all
 * digits as given.
 */
export interface Lifecycle {
  readonly status: LifecycleStatus;
  readonly statusMessage?: string;
  readonly statusChangedAt?: string;
  readonly publishedAt?: string;
  readonly updatedAt?: string;
  /** Whether the registry says that this is the latest version of its server. */
  readonly isLatest?: boolean;
}

/** One version of one MCP server, as produced by the reader of a source: valid, converted and ready to be stored. */
export interface CatalogueEntry {
  /**
   * The name used by the source itself: the map key in ToolHive's format, or the path of a file in a folder. Name
   * filters match this or `name`.
   */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** The server.json document, exactly as it will be served. */
  readonly serverJson: string;
  readonly title: string | undefined;
  readonly description: string;
  readonly tags: readonly string[];
  /** The ways in which it can be run or reached (server-facets.ts), for filters. */
  readonly facets: readonly string[];
  readonly status: Exclude<LifecycleStatus, 'deleted'>;
  /**
   * Absent if the source has none. With status `deleted` the entry is a tombstone, whatever the field `status` says.
   */
  readonly lifecycle?: Lifecycle;
  /**
   * The content of all namespaces except the official one in the `_meta` beside the server.json: the properties of that
   * JSON object without its braces, exactly as they will be served. Absent if there are none.
   */
  readonly foreignMeta?: string;
  /** Number of optional fields that were dropped because they were null. Absent if there were none. */
  readonly nullsDropped?: number;
  /** Whether the source gives the entry no version, so that its version is a default. */
  readonly isVersionAssumed?: true;
}

/** An entry that cannot be served, with the reason. The rest of its source is served regardless. */
export interface QuarantinedEntry {
  readonly key: string;
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** Path of the error within the entry, such as `packages[0].transport.url`; empty for the whole entry. */
  readonly path: string;
  readonly message: string;
  /**
   * Whether the entry is a file in a folder, so that its key is the path. Such a file may not be a server at all, and
   * does not stand for any other file.
   */
  readonly isFile?: boolean;
  /** The beginning of its description, which identifies an entry with an error in its name. It is not stored. */
  readonly description?: string;
  /**
   * The lifecycle, if any. Status `deleted` means that the source has withdrawn the entry, so its last valid version is
   * removed too.
   */
  readonly lifecycle?: Lifecycle;
}
