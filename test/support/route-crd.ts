import { setTimeout as sleep } from 'node:timers/promises';
import { KIND_UNKNOWN } from '#kubernetes/kubernetes-error.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const NAME = 'httproutes.gateway.networking.k8s.io';

/** The minimal part of the Gateway API that is needed to create HTTPRoutes. */
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: NAME,
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: { kind: 'HTTPRoute', listKind: 'HTTPRouteList', plural: 'httproutes', singular: 'httproute' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as object as KubernetesObject;

/** Resolves when the API server serves HTTPRoutes. Disposal removes the kind with all its objects. */
export async function installRouteCrd(api: KubernetesApi): Promise<AsyncDisposable> {
  await api.apply(crd);
  while (!(await isServed(api))) await sleep(50);
  return { [Symbol.asyncDispose]: () => api.delete('CustomResourceDefinition', { namespace: '', name: NAME }) };
}

async function isServed(api: KubernetesApi): Promise<boolean> {
  try {
    await api.list('HTTPRoute', { namespace: 'default' });
    return true;
  } catch (error) {
    if (isRefusal(error, KIND_UNKNOWN)) return false;
    throw error;
  }
}
