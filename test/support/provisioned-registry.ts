import { provisionActivities, registryActivities } from '#activities/index.js';
import type { DeployedServer, ProvisionActivities } from '#activities/contract.js';
import type { ServerSettings } from '#activities/provision/desired/blueprint.js';
import type { ProvisionWorld } from '#activities/provision/provision-world.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { KindName } from '#kubernetes/kinds.js';
import type { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import { asActivity } from './activity-context.js';

export const settings: ServerSettings = {
  image: 'registry.example/mcp-registry:1',
  imagePullSecrets: ['site'],
  temporal: { address: 'temporal.example:7233', namespace: 'default' },
  environment: {},
};

type Site = Omit<ProvisionWorld, 'api' | 'resources'>;

/** The objects of a registry named `tools`. */
export const CHILDREN: readonly (readonly [KindName, string])[] = [
  ['ConfigMap', 'tools-registry-server-config'],
  ['ServiceAccount', 'tools-registry-api'],
  ['Role', 'tools-registry-api'],
  ['RoleBinding', 'tools-registry-api'],
  ['Secret', 'tools-db-pgpass'],
  ['Secret', 'tools-temporal'],
  ['Deployment', 'tools-api'],
  ['Service', 'tools-api'],
];

/** An MCPRegistry named `tools` on an API server, with the activities that provision it, but without its workflow. */
export class ProvisionedRegistry {
  private readonly activities;
  private readonly registryActivities;

  private constructor(
    readonly api: HttpKubernetesApi,
    readonly ref: RegistryRef,
    /** The client with which the activities access the API server. */
    operator: HttpKubernetesApi,
    site: Site,
  ) {
    const resources = new KubernetesResourceStore(operator);
    this.activities = provisionActivities({ resources, api: operator, ...site });
    this.registryActivities = registryActivities({
      resources,
      minSyncIntervalMs: 1_000,
      unprovision: async () => undefined,
      provisioning: { api: operator, ...site },
    });
  }

  static async create(
    api: HttpKubernetesApi,
    namespace: string,
    spec: object,
    operator: HttpKubernetesApi = api,
    site: Site = { settings },
  ): Promise<ProvisionedRegistry> {
    const { metadata } = await applySpec(api, namespace, spec);
    return new ProvisionedRegistry(api, { namespace, name: metadata.name, uid: metadata.uid! }, operator, site);
  }

  async edit(spec: object): Promise<void> {
    await applySpec(this.api, this.ref.namespace, spec);
  }

  provision(signal?: AbortSignal): Promise<DeployedServer> {
    return asActivity(this.ref, () => this.activities.ensureServer(this.ref), signal);
  }

  /** Calls an activity for any registry. */
  call(activity: keyof ProvisionActivities, registry: RegistryRef): Promise<unknown> {
    return asActivity<unknown>(registry, () => this.activities[activity](registry));
  }

  desired() {
    return this.registryActivities.readDesiredState(this.ref);
  }

  find<T extends KubernetesObject>(kind: KindName, name: string): Promise<T | undefined> {
    return this.api.get<T>(kind, this.ref.namespace, name);
  }

  /** Returns the resource version of each object. Missing objects are left out. */
  async versions(): Promise<Record<string, string>> {
    const found = await Promise.all(
      CHILDREN.map(async ([kind, name]) => {
        const object = await this.find(kind, name);
        return object ? [[`${kind}/${name}`, object.metadata.resourceVersion!]] : [];
      }),
    );
    return Object.fromEntries(found.flat()) as Record<string, string>;
  }
}

/** Replaces the spec, like `kubectl apply` with a manifest. */
function applySpec(api: HttpKubernetesApi, namespace: string, spec: object): Promise<KubernetesObject> {
  const auth = 'configYAML' in spec ? {} : { auth: { mode: 'anonymous' } };
  const registry = {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { namespace, name: 'tools' },
    spec: { ...auth, ...spec },
  };
  return api.apply(registry, { fieldManager: 'somebody' });
}
