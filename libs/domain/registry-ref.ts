/** Names one MCPRegistry for its whole life: a resource deleted and created again has the same name but another uid. */
export interface RegistryRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

declare const brand: unique symbol;

/** The uid of an MCPRegistry, checked: a lower-case UUID, which is safe as the name of a folder and as a row's key. */
export type RegistryUid = string & { readonly [brand]: 'RegistryUid' };

/** A registry whose names and uid have passed the checks at the boundary of a process. */
export interface CheckedRegistryRef extends RegistryRef {
  readonly uid: RegistryUid;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isRegistryUid(uid: string): uid is RegistryUid {
  return UUID.test(uid);
}

/** Returns a text that differs for any two registries, for maps and sets. */
export function registryKey({ namespace, name, uid }: RegistryRef): string {
  return `${namespace}/${name}/${uid}`;
}

/** The workflow id is the lock: at most one workflow runs for a resource, however often it is started. */
export function registryWorkflowId(registry: RegistryRef): string {
  return `mcpregistry/${registry.namespace}/${registry.name}/${registry.uid}`;
}

/** Undefined for the id of any other workflow, such as a sync. */
export function registryOfWorkflow(id: string): RegistryRef | undefined {
  const [, namespace, name, uid] = /^mcpregistry\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
  return namespace !== undefined && name !== undefined && uid !== undefined ? { namespace, name, uid } : undefined;
}

/** Sync runs of one registry are numbered over its whole life, so that an id is never used twice. */
export function syncWorkflowId(registry: RegistryRef, source: string, run: number): string {
  return `${registryWorkflowId(registry)}/sync/${source}/${run}`;
}

/** Returns the URL of the Service of a registry within the cluster. */
export function serverEndpoint({ namespace, name }: RegistryRef): string {
  return `http://${name}-api.${namespace}:8080`;
}

/** `namespace/name`, as people write it. */
export function displayRef(registry: Pick<RegistryRef, 'namespace' | 'name'>): string {
  return `${registry.namespace}/${registry.name}`;
}
