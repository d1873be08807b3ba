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

/** All that decides what is provisioned for one MCPRegistry. What is desired is a pure function of it. */
export interface Blueprint {
  readonly registry: RegistryRef;
  /** Generation of the spec. */
  readonly generation: number;
  /** Value of the sync-trigger annotation: the server takes a new one for consent to what it holds back. */
  readonly triggerToken?: string;
  readonly spec: RegistrySpec;
  readonly settings: ServerSettings;
  /**
   * Versions of the values that the pod has mounted and reads at its start, by `Secret x, key y`. A version is null while the value
   * does not exist.
   */
  readonly versions: Readonly<Record<string, string | null>>;
  /** Notices about the secrets of webhooks, which the server reads at each delivery: no other pod is made when they change. */
  readonly hookNotices?: readonly Notice[];
  /** The PersistentVolumeClaims that exist, with their access modes. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Uid of the registry's ServiceAccount. It is made along the way, so the plan of a registry knows nothing of it. */
  readonly accountUid?: string;
}

/** Peers of a NetworkPolicy (networking.k8s.io/v1, NetworkPolicyPeer). */
export interface NetworkPeers {
  /** Clients of registries; all when empty. */
  readonly clients: readonly Fields[];
  /** Readers of metrics; none when empty. */
  readonly metrics: readonly Fields[];
}

/** What the operator of a site decides for the servers of all registries. */
export interface ServerSettings {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly imagePullSecrets: readonly string[];
  /** How the server of a registry reaches Temporal; each field becomes a key of its Secret. */
  readonly temporal: TemporalEndpoint;
  /** More variables for the server, such as SOURCE_URL_REWRITES. */
  readonly environment: Readonly<Record<string, string>>;
  /** PEM; authorities that the servers trust beside those of the system. */
  readonly caBundle?: string;
  /** For registries that name no database. */
  readonly defaultDatabase?: DefaultDatabase;
  /** What users may say of the pods; everything when absent. */
  readonly podTemplatePolicy?: PodTemplatePolicy;
  /** Requests and limits of a server, in place of the defaults. */
  readonly resources?: Fields;
  /** How registries are reached from outside the cluster; not at all when absent. */
  readonly exposure?: Exposure;
  /** Whom the NetworkPolicy of a registry lets in; without it there is no such policy. */
  readonly networkPolicy?: NetworkPeers;
  /** Size limits of the server's emptyDir volumes. */
  readonly storage?: { readonly data?: string; readonly tmp?: string };
  /** The ServiceAccount, of the namespace of each registry, that those are provisioned as that name none; the operator when absent. */
  readonly serviceAccountName?: string;
  /** Whether a registry lists the MCP servers of its namespace without being told to; it does when this is absent. */
  readonly discovery?: boolean;
}

/** Names a key in {@link Blueprint.versions}. */
export function versionKey({ kind, name, key }: ObjectKey): string {
  return `${kind} ${name}, key ${key}`;
}

/** With the passwords of both roles: exactly what the operator writes a pgpass file for. */
export function typedDatabase(spec: RegistrySpec): DatabaseConfig | undefined {
  return spec.raw ? undefined : spec.databaseConfig;
}
