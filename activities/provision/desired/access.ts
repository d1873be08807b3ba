import { mountOf } from '#spec/source-needs.js';
import type { PolicyRule } from '#domain/policy-rule.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { findSource } from '#sources/index.js';
import type { Blueprint } from './blueprint.js';
import { head, names, OPERATOR_BINDING_LABEL } from './naming.js';

export interface Role extends KubernetesObject {
  readonly rules: readonly PolicyRule[];
}

export interface RoleBinding extends KubernetesObject {
  readonly roleRef: object;
  readonly subjects: readonly object[];
}

/** The ServiceAccount of the server's pod, which is also used to pull its image and the images of its sidecars. */
export function toServiceAccount({ registry, spec, settings }: Blueprint): KubernetesObject {
  const account = head('ServiceAccount', registry, names.access(registry.name));
  return {
    ...account,
    imagePullSecrets: pullSecrets(spec.imagePullSecrets, settings.imagePullSecrets),
  } as object as KubernetesObject;
}

/**
 * Grants no more than the server reads: its own configuration and the ConfigMaps of its sources, each by name, and
 * whatever else the types of its sources declare.
 */
export function toRole({ registry, spec }: Blueprint): Role {
  const ofSources = spec.registries.flatMap((source) => {
    const mount = mountOf(source);
    return mount && 'configMap' in mount ? [mount.configMap.name] : [];
  });
  const configMaps = [...new Set([names.config(registry.name), ...ofSources])];
  const types = [...new Set(spec.registries.map(({ type }) => type))];
  return {
    ...head('Role', registry, names.access(registry.name)),
    rules: [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: configMaps, verbs: ['get'] },
      ...types.flatMap((type) => findSource(type)?.permissions ?? []),
    ],
  };
}

export function toRoleBinding({ registry }: Blueprint): RoleBinding {
  const name = names.access(registry.name);
  return {
    ...head('RoleBinding', registry, name),
    roleRef: { apiGroup: kinds.Role.apiVersion.split('/')[0], kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: registry.namespace }],
  } as object as RoleBinding;
}

/** The rights of the operator in namespaces that have a registry. */
export interface NamespaceAccess {
  /** Name of the ClusterRole with these rights. */
  readonly clusterRole: string;
  /** The ServiceAccount of the operator. */
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** Grants the operator its rights in the namespace of a registry for as long as the registry exists. */
export function toOperatorBinding(registry: RegistryRef, access: NamespaceAccess): RoleBinding {
  const { apiVersion } = kinds.RoleBinding;
  const { metadata, ...type } = head('RoleBinding', registry, names.operator(registry.name));
  return {
    ...type,
    metadata: { ...metadata, labels: { ...metadata.labels, [OPERATOR_BINDING_LABEL]: 'true' } },
    roleRef: { apiGroup: apiVersion.split('/')[0], kind: 'ClusterRole', name: access.clusterRole },
    subjects: [{ kind: 'ServiceAccount', ...access.serviceAccount }],
  } as object as RoleBinding;
}

/** Returns the pull secrets of the registry and of the site, without duplicates. */
export function pullSecrets(
  own: readonly { readonly name: string }[],
  site: readonly string[],
): { readonly name: string }[] {
  return [...new Set([...own.map(({ name }) => name), ...site])].map((name) => ({ name }));
}
