import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

/** As much of the Kubernetes API as a server asks for. */
export type ClusterReader = Pick<KubernetesApi, 'get'>;

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}
