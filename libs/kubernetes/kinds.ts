/** The location of a kind in the Kubernetes API. */
export interface Kind {
  readonly apiVersion: string;
  readonly plural: string;
  /** False for cluster-scoped kinds. */
  readonly namespaced: boolean;
}

const inNamespaces = (apiVersion: string, plural: string): Kind => ({ apiVersion, plural, namespaced: true });
const inCluster = (apiVersion: string, plural: string): Kind => ({ apiVersion, plural, namespaced: false });

/** All kinds that this project reads or writes. */
export const kinds = {
  MCPRegistry: inNamespaces('toolhive.stacklok.dev/v1alpha1', 'mcpregistries'),
  MCPServer: inNamespaces('toolhive.stacklok.dev/v1alpha1', 'mcpservers'),
  MCPServerV1beta1: inNamespaces('toolhive.stacklok.dev/v1beta1', 'mcpservers'),
  MCPRemoteProxy: inNamespaces('toolhive.stacklok.dev/v1alpha1', 'mcpremoteproxies'),
  MCPRemoteProxyV1beta1: inNamespaces('toolhive.stacklok.dev/v1beta1', 'mcpremoteproxies'),
  VirtualMCPServer: inNamespaces('toolhive.stacklok.dev/v1alpha1', 'virtualmcpservers'),
  VirtualMCPServerV1beta1: inNamespaces('toolhive.stacklok.dev/v1beta1', 'virtualmcpservers'),
  ConfigMap: inNamespaces('v1', 'configmaps'),
  Secret: inNamespaces('v1', 'secrets'),
  PersistentVolumeClaim: inNamespaces('v1', 'persistentvolumeclaims'),
  ServiceAccount: inNamespaces('v1', 'serviceaccounts'),
  Service: inNamespaces('v1', 'services'),
  LimitRange: inNamespaces('v1', 'limitranges'),
  Pod: inNamespaces('v1', 'pods'),
  Event: inNamespaces('v1', 'events'),
  Ingress: inNamespaces('networking.k8s.io/v1', 'ingresses'),
  CronJob: inNamespaces('batch/v1', 'cronjobs'),
  HTTPRoute: inNamespaces('gateway.networking.k8s.io/v1', 'httproutes'),
  NetworkPolicy: inNamespaces('networking.k8s.io/v1', 'networkpolicies'),
  Deployment: inNamespaces('apps/v1', 'deployments'),
  ReplicaSet: inNamespaces('apps/v1', 'replicasets'),
  Role: inNamespaces('rbac.authorization.k8s.io/v1', 'roles'),
  RoleBinding: inNamespaces('rbac.authorization.k8s.io/v1', 'rolebindings'),
  ClusterRole: inCluster('rbac.authorization.k8s.io/v1', 'clusterroles'),
  ClusterRoleBinding: inCluster('rbac.authorization.k8s.io/v1', 'clusterrolebindings'),
  Namespace: inCluster('v1', 'namespaces'),
  TokenReview: inCluster('authentication.k8s.io/v1', 'tokenreviews'),
  SubjectAccessReview: inCluster('authorization.k8s.io/v1', 'subjectaccessreviews'),
  ValidatingAdmissionPolicy: inCluster('admissionregistration.k8s.io/v1', 'validatingadmissionpolicies'),
  ValidatingAdmissionPolicyBinding: inCluster('admissionregistration.k8s.io/v1', 'validatingadmissionpolicybindings'),
  CustomResourceDefinition: inCluster('apiextensions.k8s.io/v1', 'customresourcedefinitions'),
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

/**
 * Returns the API path of an object, such as `/apis/apps/v1/namespaces/x/deployments/y`. Without a name, returns the
 * path of the collection; without a namespace, that of the collection in all namespaces.
 */
export function pathOf(kind: KindName, namespace?: string, name?: string): string {
  const { apiVersion, plural, namespaced } = kinds[kind];
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  const scope = namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : [];
  return [root, apiVersion, ...scope, plural, ...(name === undefined ? [] : [encodeURIComponent(name)])].join('/');
}
