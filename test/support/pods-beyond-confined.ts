import { head } from '#activities/provision/desired/naming.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const CONFINED = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

/** Returns a confined Deployment of a registry, with changes to the pod, the container and the annotations. */
export function deploymentOf(
  registry: RegistryRef,
  fields: object,
  container: object = {},
  annotations: object = {},
): KubernetesObject {
  const labels = { app: 'x' };
  const containers = [{ name: 'registry-api', image: 'x', securityContext: CONFINED, ...container }];
  const spec = { serviceAccountName: `${registry.name}-registry-api`, containers, ...fields };
  return {
    ...head('Deployment', registry, `${registry.name}-api`),
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
  } as KubernetesObject;
}

interface Beyond {
  readonly pod: string;
  readonly fields?: object;
  readonly container?: object;
  readonly annotations?: object;
  /** Part of the error message of the API server. */
  readonly message: string;
}

const withContext = (pod: string, more: object): Beyond => ({
  pod,
  container: { securityContext: { ...CONFINED, ...more } },
  message: 'has privileges',
});

/**
 * Properties that a pod may have only if its MCPRegistry requests them: the fields that the Pod Security level
 * `baseline` covers.
 */
export const BEYOND_CONFINED: readonly Beyond[] = [
  {
    pod: 'a pod of another account',
    fields: { serviceAccountName: 'default' },
    message: "must run as the registry's own account",
  },
  {
    pod: 'a pod of the default account',
    fields: { serviceAccountName: '' },
    message: "must run as the registry's own account",
  },
  {
    pod: 'a pod with a path of its node',
    fields: { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    message: 'mounts a path of its node',
  },
  ...['hostNetwork', 'hostPID', 'hostIPC'].map((field) => ({
    pod: `a pod with ${field}`,
    fields: { [field]: true },
    message: 'uses a namespace or a port of its node',
  })),
  {
    pod: 'a port of its node',
    container: { securityContext: CONFINED, ports: [{ containerPort: 80, hostPort: 80 }] },
    message: 'uses a namespace or a port of its node',
  },
  withContext('a privileged container', { privileged: true, allowPrivilegeEscalation: true }),
  withContext('a container with a capability', { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
  withContext('a container without seccomp', { seccompProfile: { type: 'Unconfined' } }),
  withContext('a container without AppArmor', { appArmorProfile: { type: 'Unconfined' } }),
  withContext('a container with an SELinux type', { seLinuxOptions: { type: 'spc_t' } }),
  { ...withContext('a container with the whole of /proc', { procMount: 'Unmasked' }), fields: { hostUsers: false } },
  {
    pod: 'a privileged init container',
    fields: { initContainers: [{ name: 'i', image: 'x', securityContext: { privileged: true } }] },
    message: 'has privileges',
  },
  {
    pod: 'a pod without seccomp',
    fields: { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    message: 'has privileges',
  },
  {
    pod: 'a pod with a sysctl',
    fields: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    message: 'has privileges',
  },
  {
    pod: 'a container without AppArmor by annotation',
    annotations: { 'container.apparmor.security.beta.kubernetes.io/registry-api': 'unconfined' },
    message: 'has privileges',
  },
];
