import type { ServerObject } from '#domain/server-object.js';
import type { AddressPolicy } from '#http/address-policy.js';
import type { UrlRewrite } from './rewrite-url.js';

/** The environment that a source may use. Each call is bounded and can be cancelled with `signal`. */
export interface SourceContext {
  readonly signal: AbortSignal;
  /** The namespace of the MCPRegistry. References never reach outside it. */
  readonly namespace: string;
  readonly references: References;
  /**
   * Directory for data that the source may need again (a bare git repository). It survives the sync, but may be lost at
   * any time. It belongs to this source alone, and at most one sync of the source runs at a time.
   */
  readonly cacheDirectory: string;
  /** Called with a short note whenever there is progress. A sync without progress is considered dead. */
  progress(note: string): void;
  readonly settings: SourceSettings;
}

/** Reads the cluster objects that a source refers to, at the time of the sync. */
export interface References {
  /** Returns the value of one key. Throws a RegistryError `ConfigMapNotFound` or `KeyNotFound`. */
  configMapKey(name: string, key: string): Promise<Uint8Array>;
  /** Returns the values of all keys. Throws a RegistryError `ConfigMapNotFound`. */
  configMapKeys(name: string): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Returns the value of one key. Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(name: string, key: string): Promise<Uint8Array>;
  /** Returns all MCP servers that run in the namespace. Throws a RegistryError. */
  serverObjects(): Promise<readonly ServerObject[]>;
}

/** The settings of a site's operator for all sources. */
export interface SourceSettings {
  /** If several rules match, the one with the longest path is applied; see `rewriteUrl`. */
  readonly urlRewrites: readonly UrlRewrite[];
  readonly allowLocalGit: boolean;
  /**
   * Addresses that git and API sources may have. Private addresses are normal in a cluster, so the default is
   * `private-allowed`.
   */
  readonly addressPolicy?: AddressPolicy;
  /**
   * Logs the cause of a failure at a private address. If present, all such failures have the same message, so that the
   * author of the spec cannot learn from it what listens in the network of this process.
   */
  readonly concealedCause?: ((cause: string) => void) | undefined;
  /** Maximum size of a file in bytes. */
  readonly maxFileBytes: number;
  /** Time limit of a call to another host, see `FETCH_TIMEOUT_MS`. */
  readonly fetchTimeoutMs: number;
  /** Mount directories of the claims that a `pvcRef` may refer to, by claim name. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Maximum number of bytes that are kept of a git repository. The default is 512 MiB. */
  readonly maxRepositoryBytes?: number;
  /**
   * The environment of this process. A child process inherits only a few variables, such as PATH, and the proxy
   * settings.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}
