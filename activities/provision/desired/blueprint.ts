import type { DatabaseConfig } from '#spec/database-spec.js';
import type { DefaultDatabase } from '#spec/default-database.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { Exposure } from '#domain/exposure.js';
import type { Notice } from '#domain/notice.js';
import type { ObjectKey } from '#domain/object-field.js';
import type { PodTemplatePolicy } from '#domain/pod-template-policy.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import type { Fields } from '#domain/fields.js';

/** Everything that decides what is provisioned for one MCPRegistry. The desired objects are a pure function of it. */
export interface Blueprint {
  readonly registry: RegistryRef;
  /** Id of the cluster, which is part of each claim on a database; absent if it is unknown. */
  readonly cluster?: string;
  /** Generation of the spec. */
  readonly generation: number;
  /**
   * Value of the sync-trigger annotation. The server treats a new value as consent to a revision that the shrink guard
   * has blocked.
   */
  readonly triggerToken?: string;
  readonly spec: RegistrySpec;
  readonly settings: ServerSettings;
  /**
   * Versions of the mounted values that the pod reads only at its start, by `Secret x, key y`. A version is null while
   * the value does not exist.
   */
  readonly versions: Readonly<Record<string, string | null>>;
  /**
   * Notices about the secrets of webhooks. The server reads these secrets at each delivery, so a change does not need
   * new pods.
   */
  readonly hookNotices?: readonly Notice[];
  /** The existing PersistentVolumeClaims with their access modes. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /**
   * Uid of the registry's ServiceAccount. The account is created during provisioning, so the plan of a registry does
   * not contain this uid.
   */
  readonly accountUid?: string;
}

/** Peers of a NetworkPolicy (networking.k8s.io/v1, NetworkPolicyPeer). */
export interface NetworkPeers {
  /** Clients that may reach registries; all when empty. */
  readonly clients: readonly Fields[];
  /** Clients that may read metrics; none when empty. */
  readonly metrics: readonly Fields[];
}

/** The settings of a site's operator for the servers of all registries. */
export interface ServerSettings {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly imagePullSecrets: readonly string[];
  /**
   * The address and the namespace of Temporal for the server of a registry. Each field becomes a key of the server's
   * Secret.
   */
  readonly temporal: TemporalEndpoint;
  /** Additional environment variables for the server, such as SOURCE_URL_REWRITES. */
  readonly environment: Readonly<Record<string, string>>;
  /** PEM certificates of authorities that the servers trust in addition to those of the system. */
  readonly caBundle?: string;
  /** The database server for registries that do not configure a database. */
  readonly defaultDatabase?: DefaultDatabase;
  /** What users may set in the pod template. Default: everything. */
  readonly podTemplatePolicy?: PodTemplatePolicy;
  /** Resource requests and limits of a server, replacing the defaults. */
  readonly resources?: Fields;
  /** How registries are exposed outside the cluster. If absent, they are not exposed. */
  readonly exposure?: Exposure;
  /** The peers that the NetworkPolicy of a registry admits. If absent, no policy is created. */
  readonly networkPolicy?: NetworkPeers;
  /** Size limits of the server's emptyDir volumes. */
  readonly storage?: { readonly data?: string; readonly tmp?: string };
  /**
   * Name of the ServiceAccount, in the namespace of each registry, that a registry is provisioned as if its spec names
   * none. Default: the operator's own account.
   */
  readonly serviceAccountName?: string;
  /** Whether a registry lists the MCP servers of its namespace by default. Default: true. */
  readonly discovery?: boolean;
}

/** Returns the key of a value in {@link Blueprint.versions}. */
export function versionKey({ kind, name, key }: ObjectKey): string {
  return `${kind} ${name}, key ${key}`;
}

/**
 * Returns the database configuration with the passwords of both roles, for which the operator writes a pgpass file;
 * undefined if the spec has a raw configuration.
 */
export function typedDatabase(spec: RegistrySpec): DatabaseConfig | undefined {
  return spec.raw ? undefined : spec.databaseConfig;
}
