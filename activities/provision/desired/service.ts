import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint } from './blueprint.js';
import { head, names, selectorLabels } from './naming.js';

/** The API alone: probes and metrics are for those inside the pod's own network. */
export function toService({ registry }: Blueprint): KubernetesObject {
  return {
    ...head('Service', registry, names.server(registry.name)),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(registry.name),
      ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
    },
  } as object as KubernetesObject;
}
