import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';

/** The part of the Kubernetes API that a server uses. */
export type ClusterReader = Pick<KubernetesApi, 'get' | 'pages' | 'watch'>;
