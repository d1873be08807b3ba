import type { ResourceStore } from '#domain/resource-store.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { Site } from '../contract.js';
import type { Reconciled } from './measured.js';
import type { ServerSettings } from './desired/blueprint.js';
import type { NamespaceAccess } from './desired/access.js';

/** The dependencies of the activities that create a registry's server. */
export interface ProvisionWorld {
  readonly resources: ResourceStore;
  readonly api: KubernetesApi;
  /** Returns the same resources as read by the user of another API; if absent, everything that this user may read. */
  resourcesBy?(this: void, api: KubernetesApi): ResourceStore;
  readonly settings: ServerSettings;
  /** Id of the cluster, which is part of each claim on a database. */
  readonly cluster?: string;
  /** Reads the connection data of the default database, with its administrator. */
  databaseAdmin?(): Promise<DatabaseAccess>;
  /** The rights that the operator grants itself in the namespace of each registry; absent if it already has them. */
  readonly access?: NamespaceAccess;
  /** Distinguishes this operator from one of another release; absent if there is only one. */
  readonly site?: Site;
  readonly reconciled?: Reconciled;
}
