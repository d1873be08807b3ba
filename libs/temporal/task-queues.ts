import type { RegistryRef } from '#domain/registry-ref.js';

/**
 * The task queue of one operator: its workflows, and the activities that read resources and write their status. Operators of
 * several clusters or releases may share a Temporal namespace, and must not take each other's tasks.
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

/** The same for one standalone instance, which knows only the resources in its own files. */
export function instanceTaskQueue(instance: string): string {
  return `mcp-registry-standalone/${instance}`;
}

/**
 * A queue belongs to a store: a task must reach neither a server of an earlier spec nor another database. `scope` is the
 * registry's uid and pod for a server of one registry; a standalone instance serves all of its registries from one store.
 */
export function storeTaskQueue(
  scope: (Pick<RegistryRef, 'uid'> & { pod: string }) | { instance: string },
  storeId: string,
): string {
  return 'instance' in scope
    ? `registry/${scope.instance}/${storeId}`
    : `registry/${scope.uid}/${scope.pod}/${storeId}`;
}
