import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint, NetworkPeers } from './blueprint.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { head, memberLabels, names, selectorLabels } from './naming.js';

/**
 * Denies all traffic to the pods of a registry except to its API, the ports that the user's own containers declare, and
 * its metrics. Probes come from the node, which a NetworkPolicy does not block.
 */
export function toNetworkPolicy({ registry, spec }: Blueprint, peers: NetworkPeers): KubernetesObject {
  const ports = [{ protocol: 'TCP', port: 8080 }, ...declaredPorts(spec.podTemplateSpec)];
  // If the policy lists clients, the read-only servers must be added, because they forward changes to the server.
  const readers = [{ podSelector: { matchLabels: selectorLabels(registry.name, 'reader') } }];
  const from = spec.readers > 0 ? [...peers.clients, ...readers] : peers.clients;
  const metrics = { from: peers.metrics, ports: [{ protocol: 'TCP', port: 8081 }] };
  return {
    ...head('NetworkPolicy', registry, names.server(registry.name)),
    spec: {
      podSelector: { matchLabels: memberLabels(registry.name, spec.readers) },
      policyTypes: ['Ingress'],
      ingress: [{ ...(peers.clients.length > 0 && { from }), ports }, ...(peers.metrics.length > 0 ? [metrics] : [])],
    },
  } as object as KubernetesObject;
}

function declaredPorts(podTemplateSpec: Fields | undefined): { protocol: unknown; port: unknown }[] {
  const pod = podTemplateSpec?.['spec'];
  const containers = isFields(pod) && Array.isArray(pod['containers']) ? pod['containers'].filter(isFields) : [];
  return containers.flatMap(({ ports }) =>
    (Array.isArray(ports) ? ports : [])
      .filter(isFields)
      .filter(({ containerPort }) => containerPort !== 8080 && containerPort !== 8081)
      .map(({ containerPort, protocol = 'TCP' }) => ({ protocol, port: containerPort })),
  );
}
