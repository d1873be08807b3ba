/**
 * Identifies one MCPRegistry for its whole life. A resource that is deleted and created again has the same name but
 * another uid.
 */
export interface RegistryRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

declare const brand: unique symbol;

/**
 * The validated uid of an MCPRegistry: a lower-case UUID, which is safe as a directory name and as the key of a row.
 */
export type RegistryUid = string & { readonly [brand]: 'RegistryUid' };

/** A registry with names and uid that were validated at the boundary of a process. */
export interface CheckedRegistryRef extends RegistryRef {
  readonly uid: RegistryUid;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isRegistryUid(uid: string): uid is RegistryUid {
  return UUID.test(uid);
}

/** Returns a string that is unique for a registry, for maps and sets. */
export function registryKey({ namespace, name, uid }: RegistryRef): string {
  return `${namespace}/${name}/${uid}`;
}

/**
 * Returns the workflow id of a registry. The id is a lock: at most one workflow runs for a resource, however often it
 * is started.
 */
export function registryWorkflowId(registry: RegistryRef): string {
  return `mcpregistry/${registry.namespace}/${registry.name}/${registry.uid}`;
}

/** Returns the registry of a workflow id; undefined for other workflows, such as syncs. */
export function registryOfWorkflow(id: string): RegistryRef | undefined {
  const [, namespace, name, uid] = /^mcpregistry\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
  return namespace !== undefined && name !== undefined && uid !== undefined ? { namespace, name, uid } : undefined;
}

/** Returns the workflow id of a sync. Runs are numbered over the whole life of a registry, so an id is never reused. */
export function syncWorkflowId(registry: RegistryRef, source: string, run: number): string {
  return `${registryWorkflowId(registry)}/sync/${source}/${run}`;
}

/** Returns the URL of a registry's Service within the cluster. */
export function serverEndpoint({ namespace, name }: RegistryRef): string {
  return `http://${name}-api.${namespace}:8080`;
}

/** Returns `namespace/name`, for people. */
export function displayRef(registry: Pick<RegistryRef, 'namespace' | 'name'>): string {
  return `${registry.namespace}/${registry.name}`;
}
