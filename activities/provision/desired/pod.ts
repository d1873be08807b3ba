import { SERVER_CONFIG_KEY, writerOrigin } from '#spec/pod-paths.js';
import { CA_BUNDLE_KEY } from './config.js';
import { pullSecrets } from './access.js';
import type { Blueprint } from './blueprint.js';
import { typedDatabase } from './blueprint.js';
import type { Fields } from '#domain/fields.js';
import { deploymentName, labelsOf, names } from './naming.js';
import type { PodRole } from './naming.js';
import type { PodFile } from './pod-files.js';
import { toPodFiles } from './pod-files.js';
import { PGPASS_KEY } from './secrets.js';

export const MAIN_CONTAINER = 'registry-api';
export const PGPASS_CONTAINER = 'setup-pgpass';

/** The fields of a pod template that are used here. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: PodSpec;
}

export interface PodSpec extends Fields {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly (Fields & { readonly name: string })[];
}

export interface Container extends Fields {
  readonly name: string;
  readonly env?: readonly (Fields & { readonly name: string })[];
  readonly volumeMounts?: readonly (Fields & { readonly name: string; readonly mountPath: string })[];
}

/** Security context: any user id except root, a read-only root file system, no capabilities. */
const CONFINED = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/**
 * Nodes that do not account for ephemeral storage accept no pod that requests any, but a quota requires the request to
 * be set. So it is 0.
 */
const RESOURCES = {
  requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '0' },
  limits: { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '7Gi' },
};

/**
 * Size limits of the emptyDir volumes. The kubelet evicts a pod that exceeds them, so that one registry cannot fill the
 * disk of its node.
 */
const STORAGE = { data: '5Gi', tmp: '1Gi' };
const PGPASS_SIZE_LIMIT = '1Mi';

const PGPASS_FILE = '/home/appuser/.pgpass';

/**
 * Readiness is probed every second, so that a pod receives requests as soon as it can answer them. A pod is taken out
 * of the Service after 15 s of failures, which is as long as three attempts take at the usual interval of five seconds.
 */
const READINESS_PROBE = {
  httpGet: { path: '/readiness', port: 8081 },
  initialDelaySeconds: 1,
  periodSeconds: 1,
  failureThreshold: 15,
};

/** Returns the pod template of the server before the user's template is merged into it. */
export function toPodTemplate(blueprint: Blueprint, role: PodRole): PodTemplate {
  const { registry, spec, settings } = blueprint;
  const files = toPodFiles(blueprint);
  const pgpass = pgpassPlumbing(blueprint);
  return {
    metadata: {
      labels: labelsOf(registry.name, deploymentName(registry.name, role)),
      annotations: { 'kubectl.kubernetes.io/default-container': MAIN_CONTAINER },
    },
    spec: {
      serviceAccountName: names.access(registry.name),
      imagePullSecrets: pullSecrets(spec.imagePullSecrets, settings.imagePullSecrets),
      // Otherwise Kubernetes sets environment variables for every Service in the namespace, and a Service called
      // `temporal` would set TEMPORAL_PORT.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      ...(pgpass && { initContainers: [pgpass.initContainer] }),
      containers: [mainContainer(blueprint, role, files, pgpass)],
      volumes: [
        ...ownVolumes(registry.name, role, { ...STORAGE, ...settings.storage }),
        ...(pgpass?.volumes ?? []),
        ...files.map(({ volume }) => volume),
        ...((spec.raw?.volumes ?? []) as PodSpec['volumes']),
      ],
    },
  };
}

function mainContainer(
  { registry, cluster, spec, settings }: Blueprint,
  role: PodRole,
  files: readonly PodFile[],
  pgpass: PgpassPlumbing | undefined,
): Container {
  return {
    name: MAIN_CONTAINER,
    image: settings.image,
    ...(settings.imagePullPolicy && { imagePullPolicy: settings.imagePullPolicy }),
    args: ['serve', `--config=/config/${SERVER_CONFIG_KEY}`, ...(role === 'reader' ? ['--read-only'] : [])],
    ports: [
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'internal', containerPort: 8081, protocol: 'TCP' },
    ],
    env: [
      { name: 'REGISTRY_NAMESPACE', value: registry.namespace },
      { name: 'REGISTRY_NAME', value: registry.name },
      { name: 'REGISTRY_UID', value: registry.uid },
      ...(cluster === undefined ? [] : [{ name: 'REGISTRY_CLUSTER', value: cluster }]),
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...(role === 'reader' ? [{ name: 'REGISTRY_WRITER_URL', value: writerOrigin(registry) }] : []),
      ...(pgpass ? [pgpass.variable] : []),
      ...(settings.caBundle === undefined ? [] : [{ name: 'NODE_EXTRA_CA_CERTS', value: `/config/${CA_BUNDLE_KEY}` }]),
      ...Object.entries(settings.environment).map(([name, value]) => ({ name, value })),
    ],
    resources: settings.resources ?? RESOURCES,
    livenessProbe: { httpGet: { path: '/health', port: 8081 }, initialDelaySeconds: 30, periodSeconds: 10 },
    readinessProbe: READINESS_PROBE,
    securityContext: CONFINED,
    volumeMounts: [
      { name: 'registry-server-config', mountPath: '/config', readOnly: true },
      { name: 'storage-data', mountPath: '/data' },
      { name: 'tmp', mountPath: '/tmp' },
      ...(role === 'reader' ? [] : [{ name: 'temporal', mountPath: '/temporal', readOnly: true }]),
      ...(pgpass ? [pgpass.mount] : []),
      ...files.map(({ volume, mountPath }) => ({ name: volume.name, mountPath, readOnly: true })),
      ...((spec.raw?.volumeMounts ?? []) as NonNullable<Container['volumeMounts']>),
    ],
  };
}

function ownVolumes(name: string, role: PodRole, storage: typeof STORAGE): PodSpec['volumes'] {
  return [
    { name: 'registry-server-config', configMap: { name: names.config(name) } },
    { name: 'storage-data', emptyDir: { sizeLimit: storage.data } },
    { name: 'tmp', emptyDir: { sizeLimit: storage.tmp } },
    ...(role === 'reader' ? [] : [{ name: 'temporal', secret: { secretName: names.temporal(name) } }]),
  ];
}

interface PgpassPlumbing {
  readonly volumes: PodSpec['volumes'];
  readonly initContainer: Container;
  readonly mount: { readonly name: string; readonly mountPath: string };
  readonly variable: { readonly name: string; readonly value: string };
}

/**
 * Copies the pgpass file to where the server reads it. libpq ignores a pgpass file unless its reader owns it and nobody
 * else may read it, but files of a Secret volume belong to root. So an init container of the same image, and thus with
 * the same user, makes the copy.
 */
function pgpassPlumbing(blueprint: Blueprint): PgpassPlumbing | undefined {
  const { registry, spec, settings } = blueprint;
  const given = spec.raw?.pgpassSecretRef;
  if (!given && !typedDatabase(spec)) return undefined;
  const { name: secretName, key } = given ?? { name: names.pgpass(registry.name), key: PGPASS_KEY };
  return {
    volumes: [
      { name: 'pgpass-secret', secret: { secretName, items: [{ key, path: PGPASS_KEY }] } },
      { name: 'pgpass', emptyDir: { sizeLimit: PGPASS_SIZE_LIMIT } },
    ],
    initContainer: {
      name: PGPASS_CONTAINER,
      image: settings.image,
      ...(settings.imagePullPolicy && { imagePullPolicy: settings.imagePullPolicy }),
      args: [PGPASS_CONTAINER],
      securityContext: CONFINED,
      volumeMounts: [
        { name: 'pgpass-secret', mountPath: '/secret', readOnly: true },
        { name: 'pgpass', mountPath: '/pgpass' },
      ],
    },
    mount: { name: 'pgpass', mountPath: PGPASS_FILE, subPath: PGPASS_KEY, readOnly: true } as PgpassPlumbing['mount'],
    variable: { name: 'PGPASSFILE', value: PGPASS_FILE },
  };
}
