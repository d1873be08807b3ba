import type { ResourceStore } from '#domain/resource-store.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { Site } from '../contract.js';
import type { Reconciled } from './measured.js';
import type { ServerSettings } from './desired/blueprint.js';
import type { NamespaceAccess } from './desired/access.js';

/** What the activities that make a registry's server work with. */
export interface ProvisionWorld {
  readonly resources: ResourceStore;
  readonly api: KubernetesApi;
  readonly settings: ServerSettings;
  /** Reads how to reach the default database of the settings as its administrator. */
  databaseAdmin?(): Promise<DatabaseAccess>;
  /** What the operator grants itself in the namespace of each registry; absent when its rights stand already. */
  readonly access?: NamespaceAccess;
  /** Tells this operator apart from one of another release; absent where there is only one. */
  readonly site?: Site;
  readonly reconciled?: Reconciled;
}
