import type { ResourceStore } from '#domain/resource-store.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { Reconciled } from './measured.js';
import type { ServerSettings } from './desired/blueprint.js';
import type { DatabasePasswords } from './desired/secrets.js';

/** What the activities that make a registry's server work with. */
export interface ProvisionWorld {
  readonly resources: ResourceStore;
  readonly api: KubernetesApi;
  readonly settings: ServerSettings;
  /** Of the settings' default database. */
  readonly defaultPasswords?: DatabasePasswords;
  readonly reconciled?: Reconciled;
}
