import type { RegistryRef } from '#domain/registry-ref.js';

/**
 * Returns the task queue of one operator, for its workflows and the activities that read resources and write their
 * status. Operators of several clusters or releases may share a Temporal namespace, and must not get each other's
 * tasks.
 */
export function operatorTaskQueue({
  cluster,
  release,
}: {
  readonly cluster: string;
  readonly release: string;
}): string {
  return `mcp-registry-operator/${cluster}/${release}`;
}

/** Returns the task queue of one standalone instance, which knows only the resources in its own files. */
export function instanceTaskQueue(instance: string): string {
  return `mcp-registry-standalone/${instance}`;
}

/**
 * Returns the task queue of a store. Each store and pod has its own, so that no task reaches a server that still runs
 * an earlier spec, or another database. For the server of one registry, `scope` is the registry's uid and the pod. A standalone instance serves all
 * its registries from one store.
 */
export function storeTaskQueue(
  scope: (Pick<RegistryRef, 'uid'> & { pod: string }) | { instance: string },
  storeId: string,
): string {
  return 'instance' in scope
    ? `registry/${scope.instance}/${storeId}`
    : `registry/${scope.uid}/${scope.pod}/${storeId}`;
}
