import { isOperatorSecret } from '#domain/spec-fields.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { PodTemplatePolicy } from '#domain/pod-template-policy.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { MAIN_CONTAINER, PGPASS_CONTAINER } from './pod.js';

/** Says what is wrong with a value, as sentences that begin with its path. */
type Rule = (value: unknown, path: string) => string[];

const allowed: Rule = () => [];

const refused =
  (why: string): Rule =>
  (_, path) => [`${path} ${why}`];

const only =
  (...values: readonly unknown[]): Rule =>
  (value, path) =>
    values.includes(value) ? [] : [`${path} must be ${values.map((each) => JSON.stringify(each)).join(' or ')}`];

/** An object that may have these fields; null takes a field away, which is harmless. */
const fields =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, path) =>
    Object.entries(isFields(value) ? value : {}).flatMap(([field, nested]) => {
      if (nested === null) return [];
      const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
      return (rule ?? refused('cannot be set'))(nested, `${path}.${field}`);
    });

/** A list of objects, each by its own rule. */
const each =
  (ruleFor: (item: Fields) => Rule): Rule =>
  (value, path) =>
    (Array.isArray(value) ? value : []).filter(isFields).flatMap((item, index) => {
      const key = item['name'] ?? item['mountPath'] ?? item['containerPort'] ?? index;
      return ruleFor(item)(item, `${path}[${String(key)}]`);
    });

/** Volumes of the server's pod that hold credentials of the operator's making. */
const OPERATOR_VOLUMES = ['temporal', 'pgpass', 'pgpass-secret'];

const secretName: Rule = (value, path) =>
  typeof value === 'string' && isOperatorSecret(value)
    ? [`${path} names a Secret of the operator: only the server itself may have it`]
    : [];

const keyRef = fields({ name: secretName, key: allowed, optional: allowed });
const secretVolume = fields({ secretName, items: allowed, defaultMode: allowed, optional: allowed });

/** Volumes that hold nothing but what is in the namespace. */
const volume = fields({
  name: allowed,
  configMap: allowed,
  emptyDir: allowed,
  persistentVolumeClaim: allowed,
  downwardAPI: allowed,
  secret: secretVolume,
  projected: fields({
    defaultMode: allowed,
    sources: each(() =>
      fields({
        configMap: allowed,
        downwardAPI: allowed,
        secret: fields({ name: secretName, items: allowed, optional: allowed }),
      }),
    ),
  }),
});

const probe = fields({
  httpGet: fields({ path: allowed, port: allowed, scheme: allowed, httpHeaders: allowed }),
  tcpSocket: fields({ port: allowed }),
  grpc: allowed,
  initialDelaySeconds: allowed,
  periodSeconds: allowed,
  timeoutSeconds: allowed,
  successThreshold: allowed,
  failureThreshold: allowed,
  terminationGracePeriodSeconds: allowed,
});

const ports = each(() => fields({ name: allowed, containerPort: allowed, protocol: allowed }));

const notRoot: Rule = (value, path) => (value === 0 ? [`${path} must not be 0`] : []);

const confinement = fields({
  runAsUser: notRoot,
  runAsGroup: allowed,
  runAsNonRoot: only(true),
  readOnlyRootFilesystem: allowed,
  allowPrivilegeEscalation: only(false),
  privileged: only(false),
  capabilities: fields({ drop: allowed }),
  seccompProfile: fields({ type: only('RuntimeDefault', 'Localhost'), localhostProfile: allowed }),
});

const podConfinement = fields({
  runAsUser: notRoot,
  runAsGroup: allowed,
  runAsNonRoot: only(true),
  fsGroup: allowed,
  fsGroupChangePolicy: allowed,
  supplementalGroups: allowed,
  seccompProfile: fields({ type: only('RuntimeDefault', 'Localhost'), localhostProfile: allowed }),
});

/** Variables of the server that cannot make it run anything. */
const SERVER_VARIABLES = /^(?:https?_proxy|no_proxy|tz|log_level)$/i;
/** Where the server reads files, and runs none. */
const SERVER_PATHS = /^\/(?:mnt|secrets|config|data|tmp)(?:\/(?!\.\.(?:\/|$))[^/]+)*\/?$/;

const serverVariable: Rule = (value, path) =>
  SERVER_VARIABLES.test(String((value as Fields)['name'])) ? [] : [`${path} cannot be set`];

const serverMount: Rule = (value, path) =>
  OPERATOR_VOLUMES.includes(String((value as Fields)['name']))
    ? [`${path} mounts a volume of the operator`]
    : SERVER_PATHS.test(String((value as Fields)['mountPath']))
      ? []
      : [`${path} must be below /mnt, /secrets, /config, /data or /tmp`];

const server = fields({
  name: allowed,
  resources: allowed,
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  ports,
  env: each(() => serverVariable),
  volumeMounts: each(() => serverMount),
});

const sidecar = fields({
  name: allowed,
  image: allowed,
  imagePullPolicy: allowed,
  command: allowed,
  args: allowed,
  workingDir: allowed,
  restartPolicy: allowed,
  resources: allowed,
  livenessProbe: allowed,
  readinessProbe: allowed,
  startupProbe: allowed,
  ports,
  env: each(() =>
    fields({
      name: allowed,
      value: allowed,
      valueFrom: fields({
        secretKeyRef: keyRef,
        configMapKeyRef: allowed,
        fieldRef: allowed,
        resourceFieldRef: allowed,
      }),
    }),
  ),
  volumeMounts: each(({ name }) =>
    OPERATOR_VOLUMES.includes(String(name)) ? refused('mounts a volume of the operator') : allowed,
  ),
  securityContext: confinement,
});

const container = ({ name }: Fields): Rule => (name === MAIN_CONTAINER || name === PGPASS_CONTAINER ? server : sidecar);

/** Annotations that change how a container is confined. */
const annotations: Rule = (value, path) =>
  Object.keys(isFields(value) ? value : {}).flatMap((key) =>
    /apparmor|seccomp/.test(key) ? [`${path}[${key}] cannot be set`] : [],
  );

const podTemplate = fields({
  metadata: fields({ labels: allowed, annotations }),
  spec: fields({
    containers: each(container),
    initContainers: each(container),
    volumes: each(() => volume),
    securityContext: podConfinement,
    automountServiceAccountToken: only(false),
    imagePullSecrets: allowed,
    terminationGracePeriodSeconds: allowed,
    nodeSelector: allowed,
    affinity: allowed,
    tolerations: allowed,
    topologySpreadConstraints: allowed,
    priorityClassName: allowed,
  }),
});

/**
 * Checks what the spec of a registry says of its pod against the policy of the cluster. Returns a sentence for each field that the
 * policy does not allow.
 */
export function policyFaults(
  { podTemplateSpec, raw }: Pick<RegistrySpec, 'podTemplateSpec' | 'raw'>,
  policy: PodTemplatePolicy = 'any',
): string[] {
  if (policy === 'any') return [];
  const volumes = raw?.volumes ?? [];
  const volumeMounts = raw?.volumeMounts ?? [];
  if (policy === 'deny') {
    const given = { podTemplateSpec, volumes: volumes.length > 0, volumeMounts: volumeMounts.length > 0 };
    const named = Object.entries(given).flatMap(([field, value]) => (value ? [`spec.${field} cannot be set`] : []));
    return named.map((fault) => withPolicy(fault, policy));
  }
  const faults = [
    ...podTemplate(podTemplateSpec ?? {}, 'podTemplateSpec'),
    ...each(() => volume)(volumes, 'spec.volumes'),
    ...each(() => serverMount)(volumeMounts, 'spec.volumeMounts'),
  ];
  return faults.map((fault) => withPolicy(fault, policy));
}

function withPolicy(fault: string, policy: PodTemplatePolicy): string {
  return `${fault}: the pod template policy of this cluster is "${policy}"`;
}

/** Gives containers that the user adds the confinement that the policy demands, where they do not choose a stricter one. */
export function confineSidecars<T extends { readonly containers: readonly Fields[] }>(pod: T): T {
  const confine = (each: Fields): Fields => {
    if (each['name'] === MAIN_CONTAINER || each['name'] === PGPASS_CONTAINER) return each;
    const chosen = isFields(each['securityContext']) ? each['securityContext'] : {};
    return { ...each, securityContext: { ...chosen, ...SIDECAR_CONFINEMENT } };
  };
  const { initContainers } = pod as { readonly initContainers?: readonly Fields[] };
  const confined = { ...pod, containers: pod.containers.map(confine) };
  return initContainers ? { ...confined, initContainers: initContainers.map(confine) } : confined;
}

const SIDECAR_CONFINEMENT = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
