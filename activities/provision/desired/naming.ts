import { serverConfigName, serverName, writerName } from '#spec/pod-paths.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import type { ObjectMeta } from '#kubernetes/kubernetes-object.js';
import { digestOf } from './digest.js';

const LABEL_LIMIT = 63;

/** Names the registry on all that is made for it. */
export const REGISTRY_LABEL = 'toolhive.stacklok.dev/registry-name';

/** Marks the RoleBindings of the operator, so that an admission policy can select them. */
export const OPERATOR_BINDING_LABEL = 'toolhive.stacklok.dev/operator-binding';

/** Marks the namespaces that have a registry, so that NetworkPolicies can select them. */
export const NAMESPACE_LABEL = 'toolhive.stacklok.dev/registries';

export const names = {
  config: serverConfigName,
  /** Name of the ServiceAccount, the Role and the RoleBinding. */
  access: (name: string) => `${name}-registry-api`,
  /** The RoleBinding by which the operator has its rights in the namespace. */
  operator: (name: string) => `${name}-operator`,
  pgpass: (name: string) => `${name}-db-pgpass`,
  temporal: (name: string) => `${name}-temporal`,
  /** Name of the Deployment and the Service. */
  server: serverName,
  /** Name of the Deployment of the read-only servers. */
  readers: (name: string) => `${serverName(name)}-readers`,
  /** Name of the Service that leads to the server that syncs, past the read-only ones. */
  writer: writerName,
};

/** A pod of a registry: of its server, which syncs and takes changes, or of the read-only servers beside it. */
export type PodRole = 'server' | 'reader';

/** Returns the name of the Deployment of the pods of a role. */
export function deploymentName(name: string, role: PodRole): string {
  return role === 'reader' ? names.readers(name) : names.server(name);
}

/** It can never change: a Deployment's selector is immutable. */
export function selectorLabels(name: string, role: PodRole = 'server'): Record<string, string> {
  return { 'app.kubernetes.io/name': deploymentName(name, role), 'app.kubernetes.io/component': 'registry-api' };
}

/** Returns the labels that all pods of a registry have, and those of no other one. */
export function memberLabels(name: string, readers: number): Record<string, string> {
  if (readers === 0) return selectorLabels(name);
  return { [REGISTRY_LABEL]: name, 'app.kubernetes.io/component': 'registry-api' };
}

/** What a pod template cannot change: by these labels the Deployment finds the pods, and the operator does. */
export function podLabels(name: string, role: PodRole): Record<string, string> {
  return { ...selectorLabels(name, role), [REGISTRY_LABEL]: name };
}

export function labelsOf(name: string, objectName: string): Record<string, string> {
  return {
    // Whole wherever it fits: the longest object name is longer than a label may be.
    'app.kubernetes.io/name': objectName.slice(0, LABEL_LIMIT).replace(/[^a-z0-9]+$/, ''),
    'app.kubernetes.io/component': 'registry-api',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'toolhive-operator',
    [REGISTRY_LABEL]: name,
    'toolhive.stacklok.io/registry-name': name,
  };
}

/** Head of an object that belongs to the registry and goes with it. */
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

/** A volume's name for something whose own name may have letters and a length that a volume's may not. */
export function volumeName(prefix: string, name: string): string {
  const plain = `${prefix}-${name}`;
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(plain) && plain.length <= LABEL_LIMIT) return plain;
  const suffix = `-${digestOf(name).slice(0, 8)}`;
  const legal = plain.toLowerCase().replaceAll(/[^-a-z0-9]/g, '-');
  return legal.slice(0, LABEL_LIMIT - suffix.length) + suffix;
}
