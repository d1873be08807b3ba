import { serverConfigName, serverName, writerName } from '#spec/pod-paths.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import type { ObjectMeta } from '#kubernetes/kubernetes-object.js';
import { digestOf } from './digest.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

const LABEL_LIMIT = 63;

/** Label with the name of the registry, on every object created for it. */
export const REGISTRY_LABEL = 'toolhive.stacklok.dev/registry-name';

/** Marks the RoleBindings of the operator, so that an admission policy can select them. */
export const OPERATOR_BINDING_LABEL = 'toolhive.stacklok.dev/operator-binding';

/** Marks the namespaces that have a registry, so that NetworkPolicies can select them. */
export const NAMESPACE_LABEL = 'toolhive.stacklok.dev/registries';

export const names = {
  config: serverConfigName,
  /** Name of the ServiceAccount, the Role and the RoleBinding. */
  access: (name: string) => `${name}-registry-api`,
  /** Name of the RoleBinding that gives the operator its rights in the namespace. */
  operator: (name: string) => `${name}-operator`,
  pgpass: (name: string) => `${name}-db-pgpass`,
  temporal: (name: string) => `${name}-temporal`,
  /** Name of the Deployment and the Service. */
  server: serverName,
  /** Name of the Deployment of the read-only servers. */
  readers: (name: string) => `${serverName(name)}-readers`,
  /** Name of the Service that bypasses the read-only servers and routes to the server that syncs. */
  writer: writerName,
};

/** The role of a registry's pod: `server` syncs and accepts changes, `reader` is a read-only server beside it. */
export type PodRole = 'server' | 'reader';

/** Returns the name of the Deployment of the pods of a role. */
export function deploymentName(name: string, role: PodRole): string {
  return role === 'reader' ? names.readers(name) : names.server(name);
}

/** Returns the labels of the selector of a Deployment. Never change them, because a selector is immutable. */
export function selectorLabels(name: string, role: PodRole = 'server'): Record<string, string> {
  return { 'app.kubernetes.io/name': deploymentName(name, role), 'app.kubernetes.io/component': 'registry-api' };
}

/** Returns labels that select all pods of this registry and no others. */
export function memberLabels(name: string, readers: number): Record<string, string> {
  if (readers === 0) return selectorLabels(name);
  return { [REGISTRY_LABEL]: name, 'app.kubernetes.io/component': 'registry-api' };
}

/**
 * Returns the labels that a pod template cannot change, because the Deployment and the operator find the pods by them.
 */
export function podLabels(name: string, role: PodRole): Record<string, string> {
  return { ...selectorLabels(name, role), [REGISTRY_LABEL]: name };
}

export function labelsOf(name: string, objectName: string): Record<string, string> {
  return {
    // Truncated only if too long: an object name may be longer than a label value.
    'app.kubernetes.io/name': trimmedEnd(objectName.slice(0, LABEL_LIMIT), '-.'),
    'app.kubernetes.io/component': 'registry-api',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'toolhive-operator',
    [REGISTRY_LABEL]: name,
    'toolhive.stacklok.io/registry-name': name,
  };
}

/** Returns the metadata of an object that belongs to the registry and is deleted with it. */
export function head<Kind extends KindName>(
  kind: Kind,
  { namespace, name, uid }: RegistryRef,
  objectName: string,
  annotations?: Readonly<Record<string, string>>,
): { apiVersion: string; kind: Kind; metadata: ObjectMeta } {
  return {
    apiVersion: kinds[kind].apiVersion,
    kind,
    metadata: {
      name: objectName,
      namespace,
      labels: labelsOf(name, objectName),
      ...(annotations && { annotations }),
      ownerReferences: [
        {
          apiVersion: kinds.MCPRegistry.apiVersion,
          kind: 'MCPRegistry',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  };
}

/**
 * Returns a valid volume name for an object whose own name may have characters or a length that volume names do not
 * allow.
 */
export function volumeName(prefix: string, name: string): string {
  const plain = `${prefix}-${name}`;
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(plain) && plain.length <= LABEL_LIMIT) return plain;
  const suffix = `-${digestOf(name).slice(0, 8)}`;
  const legal = plain.toLowerCase().replaceAll(/[^-a-z0-9]/g, '-');
  return legal.slice(0, LABEL_LIMIT - suffix.length) + suffix;
}
