import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const GROUP = 'toolhive.stacklok.dev';

const PLURALS = {
  MCPServer: 'mcpservers',
  MCPRemoteProxy: 'mcpremoteproxies',
  VirtualMCPServer: 'virtualmcpservers',
} as const;

type ServerKind = keyof typeof PLURALS;
type Version = 'v1alpha1' | 'v1beta1';

const KINDS = Object.keys(PLURALS) as ServerKind[];

/** Returns minimal versions of ToolHive's own CRDs, in one API version, so that such objects can be created. */
export function serverCrds(version: Version): KubernetesObject[] {
  return KINDS.map((kind) => crdOf(kind, version));
}

/** Resolves when the API server serves the kinds. */
export async function installServerCrds(api: KubernetesApi, version: Version): Promise<void> {
  for (const crd of serverCrds(version)) await api.apply(crd);
  const suffix = version === 'v1beta1' ? 'V1beta1' : '';
  for (const kind of KINDS) {
    while (!(await isServed(api, `${kind}${suffix}`))) await sleep(50);
  }
}

/** Resolves when the kinds have been removed with all their objects. */
export async function removeServerCrds(api: KubernetesApi): Promise<void> {
  const names = KINDS.map((kind) => `${PLURALS[kind]}.${GROUP}`);
  for (const name of names) await api.delete('CustomResourceDefinition', { namespace: '', name });
  for (const name of names) {
    while (await api.get('CustomResourceDefinition', '', name)) await sleep(50);
  }
}

function crdOf(kind: ServerKind, version: Version): KubernetesObject {
  const plural = PLURALS[kind];
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  } as KubernetesObject;
}

async function isServed(api: KubernetesApi, kind: ServerKind | `${ServerKind}V1beta1`): Promise<boolean> {
  try {
    await api.list(kind, { namespace: 'default' });
    return true;
  } catch (error) {
    if (error instanceof KubernetesRefusal && error.code === 404) return false;
    throw error;
  }
}
