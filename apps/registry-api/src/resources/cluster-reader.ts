import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';

/** As much of the Kubernetes API as a server asks for. */
export type ClusterReader = Pick<KubernetesApi, 'get' | 'pages' | 'watch'>;
