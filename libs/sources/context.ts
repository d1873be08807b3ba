import type { ServerObject } from '#domain/server-object.js';
import type { AddressPolicy } from '#http/address-policy.js';
import type { UrlRewrite } from './rewrite-url.js';

/** What a source may use of the world around it. Each call is bounded and cancelled with `signal`. */
export interface SourceContext {
  readonly signal: AbortSignal;
  /** The namespace that the MCPRegistry stands in; references never reach outside it. */
  readonly namespace: string;
  readonly references: References;
  /**
   * Where the source keeps what it may want again (a bare git repository); survives the sync, may be lost at any time.
   * It belongs to this one source alone, and at most one sync of it runs at a time.
   */
  readonly cacheDirectory: string;
  /** Called with a few words whenever something moved; a sync without progress is taken for dead. */
  progress(note: string): void;
  readonly settings: SourceSettings;
}

/** The objects of the cluster that a source is about, read at the moment of the sync. */
export interface References {
  /** Throws a RegistryError `ConfigMapNotFound` or `KeyNotFound`. */
  configMapKey(name: string, key: string): Promise<Uint8Array>;
  /** Returns all keys with their values. Throws a RegistryError `ConfigMapNotFound`. */
  configMapKeys(name: string): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(name: string, key: string): Promise<Uint8Array>;
  /** All MCP servers that run in the namespace. Throws a RegistryError. */
  serverObjects(): Promise<readonly ServerObject[]>;
}

/** What the operator of a site decides for all sources. */
export interface SourceSettings {
  /** The rule with the longest path wins; see `rewriteUrl`. */
  readonly urlRewrites: readonly UrlRewrite[];
  readonly allowLocalGit: boolean;
  /** Where git and API sources may be; private addresses are normal in a cluster. Default `private-allowed`. */
  readonly addressPolicy?: AddressPolicy;
  /**
   * Logs the cause of a failure at a private address. When present, messages do not tell such failures apart: who writes the spec
   * must not learn from them what listens in the network of this process.
   */
  readonly concealedCause?: ((cause: string) => void) | undefined;
  /** Upper bound of one file in bytes. */
  readonly maxFileBytes: number;
  /** Upper bound of one call to the outside; see `FETCH_TIMEOUT_MS`. */
  readonly fetchTimeoutMs: number;
  /** Where the claims that a `pvcRef` may name are mounted: claim name to directory. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Upper bound in bytes of what is kept of one git repository; 512 MiB when absent. */
  readonly maxRepositoryBytes?: number;
  /** The environment of this process; a child process gets its PATH and proxies, and nothing else of it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}
