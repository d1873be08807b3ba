import { ownMember } from '#domain/own-member.js';
import { isOperatorSecret } from '#domain/spec-fields.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { PodTemplatePolicy } from '#domain/pod-template-policy.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { shownStep } from '#domain/field-path.js';
import { MAIN_CONTAINER, PGPASS_CONTAINER } from './pod.js';

/** Returns the errors of a value, as sentences that start with its path. */
type Rule = (value: unknown, path: string) => string[];

const allowed: Rule = () => [];

const refused =
  (why: string): Rule =>
  (_, path) => [`${path} ${why}`];

const only =
  (...values: readonly unknown[]): Rule =>
  (value, path) =>
    values.includes(value) ? [] : [`${path} must be ${values.map((each) => JSON.stringify(each)).join(' or ')}`];

/** A rule for an object that may have only these fields. A null removes a field, so it is always allowed. */
const fields =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, path) =>
    Object.entries(isFields(value) ? value : {}).flatMap(([field, nested]) => {
      if (nested === null) return [];
      return (ownMember(rules, field) ?? refused('cannot be set'))(nested, `${path}.${shownStep(field)}`);
    });

/** A rule for a list of objects, where the rule of an item may depend on the item. */
const each =
  (ruleFor: (item: Fields) => Rule): Rule =>
  (value, path) =>
    (Array.isArray(value) ? value : []).filter(isFields).flatMap((item, index) => {
      const key = item['name'] ?? item['mountPath'] ?? item['containerPort'] ?? index;
      return ruleFor(item)(item, `${path}[${shownStep(String(key))}]`);
    });

const secretName: Rule = (value, path) =>
  typeof value === 'string' && isOperatorSecret(value)
    ? [`${path} refers to a Secret of the operator: only the server itself may use it`]
    : [];

const keyRef = fields({ name: secretName, key: allowed, optional: allowed });
const secretVolume = fields({ secretName, items: allowed, defaultMode: allowed, optional: allowed });

/** Allows only volumes whose content comes from the namespace. */
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

/**
 * Allows only probes of the pod itself. With a `host`, the kubelet would send requests to any address from the network
 * of the node.
 */
const probeFields = {
  httpGet: fields({ path: allowed, port: allowed, scheme: allowed, httpHeaders: allowed }),
  tcpSocket: fields({ port: allowed }),
  grpc: allowed,
  initialDelaySeconds: allowed,
  periodSeconds: allowed,
  timeoutSeconds: allowed,
  successThreshold: allowed,
  failureThreshold: allowed,
  terminationGracePeriodSeconds: allowed,
};
const probe = fields(probeFields);
const sidecarProbe = fields({ ...probeFields, exec: allowed });

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

/** Environment variables of the server that cannot make it execute anything. */
const SERVER_VARIABLES = /^(?:https?_proxy|no_proxy|tz|log_level)$/i;
/**
 * Mount paths that the server does not read by itself. Files below /data are its database, and files below /config are
 * its configuration.
 */
const SERVER_PATHS = /^\/(?:mnt|secrets)(?:\/(?!\.\.(?:\/|$))[^/]+)*\/?$/;

const variable = fields({
  name: allowed,
  value: allowed,
  valueFrom: fields({
    secretKeyRef: keyRef,
    configMapKeyRef: allowed,
    fieldRef: allowed,
    resourceFieldRef: allowed,
  }),
});

const serverVariable: Rule = (value, path) =>
  SERVER_VARIABLES.test(String((value as Fields)['name'])) ? variable(value, path) : [`${path} cannot be set`];

const serverPath: Rule = (value, path) =>
  SERVER_PATHS.test(String(value)) ? [] : [`${path} must be below /mnt or /secrets`];

/**
 * Allows only mounts of the volumes with these names. The operator's own volumes hold credentials and the socket of the
 * server's database.
 */
const mounts = (volumes: ReadonlySet<string>, mountPath: Rule): Rule => {
  const name: Rule = (value, path) =>
    volumes.has(String(value))
      ? []
      : [`${path} refers to a volume that the template does not define: only volumes of the template can be mounted`];
  const mount = fields({ name, mountPath, readOnly: allowed, recursiveReadOnly: allowed, subPath: allowed });
  return each(() => mount);
};

const server = (volumes: ReadonlySet<string>): Rule =>
  fields({
    name: allowed,
    resources: allowed,
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    ports,
    env: each(() => serverVariable),
    volumeMounts: mounts(volumes, serverPath),
  });

const sidecar = (volumes: ReadonlySet<string>): Rule =>
  fields({
    name: allowed,
    image: allowed,
    imagePullPolicy: allowed,
    command: allowed,
    args: allowed,
    workingDir: allowed,
    restartPolicy: allowed,
    resources: allowed,
    livenessProbe: sidecarProbe,
    readinessProbe: sidecarProbe,
    startupProbe: sidecarProbe,
    ports,
    env: each(() => variable),
    volumeMounts: mounts(volumes, allowed),
    securityContext: confinement,
  });

/** Rejects annotations that change how a container is confined. */
const annotations: Rule = (value, path) =>
  Object.keys(isFields(value) ? value : {}).flatMap((key) =>
    /apparmor|seccomp/.test(key) ? [`${path}[${shownStep(key)}] cannot be set`] : [],
  );

/** Rejects the priority classes of the cluster itself, whose pods preempt all others. */
const priorityClass: Rule = (value, path) =>
  String(value).startsWith('system-') ? [`${path} must not begin with system-`] : [];

const podTemplate = (volumes: ReadonlySet<string>): Rule => {
  const rules = { server: server(volumes), sidecar: sidecar(volumes) };
  const container = ({ name }: Fields): Rule =>
    name === MAIN_CONTAINER || name === PGPASS_CONTAINER ? rules.server : rules.sidecar;
  return fields({
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
      priorityClassName: priorityClass,
    }),
  });
};

/**
 * The only volume of the operator that a template may replace: the /tmp of the server. No other container may mount it.
 */
const REPLACEABLE_VOLUME = 'tmp';

function volumesOf(podTemplateSpec: Fields | undefined, raw: readonly Fields[]): ReadonlySet<string> {
  const spec = podTemplateSpec?.['spec'];
  const given = isFields(spec) ? spec['volumes'] : undefined;
  const volumes = [...raw, ...(Array.isArray(given) ? given.filter(isFields) : [])];
  return new Set(volumes.map(({ name }) => String(name)).filter((name) => name !== REPLACEABLE_VOLUME));
}

/**
 * Checks the pod settings in the spec of a registry against the policy of the cluster. Returns a sentence for each
 * field that the policy does not allow.
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
  const mountable = volumesOf(podTemplateSpec, volumes);
  const faults = [
    ...podTemplate(mountable)(podTemplateSpec ?? {}, 'podTemplateSpec'),
    ...each(() => volume)(volumes, 'spec.volumes'),
    ...mounts(mountable, serverPath)(volumeMounts, 'spec.volumeMounts'),
  ];
  return faults.map((fault) => withPolicy(fault, policy));
}

function withPolicy(fault: string, policy: PodTemplatePolicy): string {
  return `${fault}: the pod template policy of this cluster is "${policy}"`;
}

/**
 * Applies the confinement that the policy requires to containers that the user adds, unless they choose a stricter one.
 */
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
