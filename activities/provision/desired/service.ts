import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint } from './blueprint.js';
import { head, memberLabels, names, selectorLabels } from './naming.js';

/** Returns the Service, which exposes the API only. Probes and metrics stay on the pod's own network. */
export function toService({ registry, spec }: Blueprint): KubernetesObject {
  return serviceOf(registry, names.server(registry.name), memberLabels(registry.name, spec.readers));
}

/** Returns the Service that routes to the server that accepts changes. The read-only servers forward changes to it. */
export function toWriterService({ registry }: Blueprint): KubernetesObject {
  return serviceOf(registry, names.writer(registry.name), selectorLabels(registry.name));
}

function serviceOf(registry: RegistryRef, name: string, selector: Record<string, string>): KubernetesObject {
  return {
    ...head('Service', registry, name),
    spec: {
      type: 'ClusterIP',
      selector,
      ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
    },
  } as object as KubernetesObject;
}
