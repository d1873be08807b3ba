import type { Exposure } from '#domain/exposure.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { head, names } from './naming.js';

/** Returns the Ingress or HTTPRoute that routes traffic from outside the cluster to the Service of a registry. */
export function toExposure(registry: RegistryRef, exposure: Exposure): KubernetesObject {
  return exposure.kind === 'Ingress' ? toIngress(registry, exposure) : toHttpRoute(registry, exposure);
}

function toIngress(registry: RegistryRef, exposure: Exposure): KubernetesObject {
  const { annotations, ingressClassName, tls } = exposure;
  const host = filled(exposure.host, registry);
  const backend = { service: { name: names.server(registry.name), port: { name: 'http' } } };
  return {
    ...head('Ingress', registry, names.server(registry.name), annotations),
    spec: {
      ...(ingressClassName !== '' && { ingressClassName }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      ...(tls.enabled && { tls: [{ hosts: [host], secretName: filled(tls.secretName, registry) }] }),
    },
  } as object as KubernetesObject;
}

function toHttpRoute(registry: RegistryRef, { host, annotations, parentRefs }: Exposure): KubernetesObject {
  return {
    ...head('HTTPRoute', registry, names.server(registry.name), annotations),
    spec: {
      parentRefs,
      hostnames: [filled(host, registry)],
      rules: [{ backendRefs: [{ name: names.server(registry.name), port: 8080 }] }],
    },
  } as object as KubernetesObject;
}

function filled(template: string, { namespace, name }: RegistryRef): string {
  return template.replaceAll('{name}', name).replaceAll('{namespace}', namespace);
}
