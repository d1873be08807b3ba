import { describe, expect, it } from 'vitest';
import type { PodTemplatePolicy } from '#domain/pod-template-policy.js';
import { blueprint, database, settings } from '../testing/blueprint.js';
import { toDeployment } from './deployment.js';
import type { PodTemplate } from './pod.js';

function deploy(policy: PodTemplatePolicy, spec: object): PodTemplate {
  const { deployment } = toDeployment(blueprint(spec, { settings: { ...settings, podTemplatePolicy: policy } }));
  return (deployment as unknown as { readonly spec: { readonly template: PodTemplate } }).spec.template;
}

const withPod = (spec: object, metadata: object = {}) => ({ podTemplateSpec: { metadata, spec } });
const server = (fields: object) => withPod({ containers: [{ name: 'registry-api', ...fields }] });
const sidecar = (fields: object) => withPod({ containers: [{ name: 'proxy', image: 'proxy:1', ...fields }] });
const volume = (source: object) => withPod({ volumes: [{ name: 'v', ...source }] });

const MOUNT = 'podTemplateSpec.spec.containers[registry-api].volumeMounts[v]';
const mounted = (mountPath: string) =>
  withPod({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ name: 'registry-api', volumeMounts: [{ name: 'v', mountPath }] }],
  });

describe('the policy "restricted"', () => {
  it.each([
    ['resources', server({ resources: { limits: { memory: '1Gi' } } })],
    ['probes', server({ readinessProbe: { httpGet: { path: '/readiness', port: 8081 }, periodSeconds: 1 } })],
    ['a proxy', server({ env: [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }] })],
    ['metadata', withPod({}, { labels: { team: 'x' }, annotations: { 'prometheus.io/scrape': 'true' } })],
    [
      'scheduling',
      withPod({
        nodeSelector: { disk: 'ssd' },
        affinity: {},
        tolerations: [{ operator: 'Exists' }],
        topologySpreadConstraints: [],
        priorityClassName: 'low',
      }),
    ],
    ['user ids', withPod({ securityContext: { runAsUser: 1000, fsGroup: 1000, runAsNonRoot: true } })],
    [
      'volumes of the namespace',
      withPod({
        volumes: [
          { name: 'a', configMap: { name: 'x' } },
          { name: 'b', secret: { secretName: 'x' } },
          { name: 'c', persistentVolumeClaim: { claimName: 'x' } },
          { name: 'd', emptyDir: {} },
          { name: 'e', projected: { sources: [{ configMap: { name: 'x' } }, { secret: { name: 'y' } }] } },
        ],
        containers: [{ name: 'registry-api', volumeMounts: [{ name: 'a', mountPath: '/mnt/a' }] }],
      }),
    ],
    ['a field taken away', server({ livenessProbe: null })],
  ])('allows %s', (_, spec) => {
    expect(() => deploy('restricted', spec)).not.toThrow();
  });

  it.each([
    ['another account', withPod({ serviceAccountName: 'admin' }), 'podTemplateSpec.spec.serviceAccountName'],
    ['the old name of it', withPod({ serviceAccount: 'admin' }), 'podTemplateSpec.spec.serviceAccount'],
    ['a path of the node', volume({ hostPath: { path: '/' } }), 'podTemplateSpec.spec.volumes[v].hostPath'],
    ['a foreign driver', volume({ csi: { driver: 'x' } }), 'podTemplateSpec.spec.volumes[v].csi'],
    [
      'a token',
      volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }),
      'podTemplateSpec.spec.volumes[v].projected.sources[0].serviceAccountToken',
    ],
    [
      "another registry's access to Temporal",
      volume({ secret: { secretName: 'other-temporal' } }),
      'podTemplateSpec.spec.volumes[v].secret.secretName',
    ],
    ['the network of the node', withPod({ hostNetwork: true }), 'podTemplateSpec.spec.hostNetwork'],
    ['processes of the node', withPod({ hostPID: true }), 'podTemplateSpec.spec.hostPID'],
    ['a runtime', withPod({ runtimeClassName: 'x' }), 'podTemplateSpec.spec.runtimeClassName'],
    ['the user root', withPod({ securityContext: { runAsUser: 0 } }), 'podTemplateSpec.spec.securityContext.runAsUser'],
    ['sysctls', withPod({ securityContext: { sysctls: [] } }), 'podTemplateSpec.spec.securityContext.sysctls'],
    [
      'no AppArmor',
      withPod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/registry-api': 'unconfined' } }),
      'podTemplateSpec.metadata.annotations[container.apparmor.security.beta.kubernetes.io/registry-api]',
    ],
    ['another image', server({ image: 'x' }), 'podTemplateSpec.spec.containers[registry-api].image'],
    ['a command', server({ command: ['sh'] }), 'podTemplateSpec.spec.containers[registry-api].command'],
    ['a hook', server({ lifecycle: {} }), 'podTemplateSpec.spec.containers[registry-api].lifecycle'],
    [
      'a probe that runs something',
      server({ livenessProbe: { exec: { command: ['sh'] } } }),
      'podTemplateSpec.spec.containers[registry-api].livenessProbe.exec',
    ],
    [
      'a variable that runs something',
      server({ env: [{ name: 'NODE_OPTIONS', value: '--import=/mnt/x.mjs' }] }),
      'podTemplateSpec.spec.containers[registry-api].env[NODE_OPTIONS]',
    ],
    [
      'variables from elsewhere',
      server({ envFrom: [{ secretRef: { name: 'x' } }] }),
      'podTemplateSpec.spec.containers[registry-api].envFrom',
    ],
    [
      'another program',
      server({ volumeMounts: [{ name: 'tmp', mountPath: '/mnt/../app' }] }),
      'podTemplateSpec.spec.containers[registry-api].volumeMounts[tmp].mountPath',
    ],
    [
      'a privileged sidecar',
      sidecar({ securityContext: { privileged: true } }),
      'podTemplateSpec.spec.containers[proxy].securityContext.privileged',
    ],
    [
      'capabilities',
      sidecar({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
      'podTemplateSpec.spec.containers[proxy].securityContext.capabilities.add',
    ],
    [
      'a sidecar that reads our credentials',
      sidecar({ volumeMounts: [{ name: 'temporal', mountPath: '/t' }] }),
      'podTemplateSpec.spec.containers[proxy].volumeMounts[temporal].name',
    ],
    [
      'a port of the node',
      sidecar({ ports: [{ containerPort: 1, hostPort: 1 }] }),
      'podTemplateSpec.spec.containers[proxy].ports[1].hostPort',
    ],
    [
      'the passwords of another registry',
      sidecar({ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'other-db-pgpass', key: 'x' } } }] }),
      'podTemplateSpec.spec.containers[proxy].env[X].valueFrom.secretKeyRef.name',
    ],
    [
      'a variable of the server that shows a Secret of the operator',
      server({ env: [{ name: 'LOG_LEVEL', valueFrom: { secretKeyRef: { name: 'other-temporal', key: 'apiKey' } } }] }),
      'podTemplateSpec.spec.containers[registry-api].env[LOG_LEVEL].valueFrom.secretKeyRef.name',
    ],
    ['a configuration of the database', mounted('/data/postgres-18'), `${MOUNT}.mountPath`],
    ['a configuration', mounted('/config'), `${MOUNT}.mountPath`],
    ['temporary files of the server', mounted('/tmp/x'), `${MOUNT}.mountPath`],
    [
      'a probe of a sidecar that asks another address',
      sidecar({ readinessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
      'podTemplateSpec.spec.containers[proxy].readinessProbe.httpGet.host',
    ],
    [
      'mounts that reach the node',
      sidecar({ volumeMounts: [{ name: 'v', mountPath: '/x', mountPropagation: 'Bidirectional' }] }),
      'podTemplateSpec.spec.containers[proxy].volumeMounts[v].mountPropagation',
    ],
    [
      'a priority of the cluster itself',
      withPod({ priorityClassName: 'system-node-critical' }),
      'podTemplateSpec.spec.priorityClassName',
    ],
    ['ephemeral containers', withPod({ ephemeralContainers: [] }), 'podTemplateSpec.spec.ephemeralContainers'],
    ['a member of every object', withPod({ constructor: {} }), 'podTemplateSpec.spec.constructor'],
  ])('refuses %s by the name of the field', (_, spec, path) => {
    const refused = () => deploy('restricted', { databaseConfig: database, ...spec });
    expect(refused).toThrow(expect.objectContaining({ reason: 'InvalidPodTemplateSpec', destiny: 'stop' }));
    expect(refused).toThrow(`${path} `);
    expect(refused).toThrow('the pod template policy of this cluster is "restricted"');
    expect(() => deploy('any', { databaseConfig: database, ...spec })).not.toThrow(/policy/);
  });

  it.each([
    ['that keeps its data in the pod', {}],
    ['with a database', { databaseConfig: database }],
    [
      'of a configYAML',
      {
        configYAML: 'auth: {mode: anonymous}\nregistries: [{name: x, file: {path: /mnt/r.json}}]',
        volumes: [],
        volumeMounts: [],
      },
    ],
  ])('does not allow a sidecar to use a volume of the server %s, whatever its name', (_, spec) => {
    const own = deploy('restricted', spec).spec.volumes.map(({ name }) => name);
    expect(own).toContain('tmp');
    for (const name of own) {
      const mounting = sidecar({ volumeMounts: [{ name, mountPath: '/x' }] });
      for (const list of [[], [{ name, emptyDir: {} }]]) {
        const podTemplateSpec = { spec: { ...mounting.podTemplateSpec.spec, volumes: list } };
        expect(() => deploy('restricted', { ...spec, podTemplateSpec })).toThrow(`[${name}]`);
      }
    }
  });

  it('reports every field at once', () => {
    const refused = () => deploy('restricted', withPod({ hostNetwork: true, hostPID: true }));
    expect(refused).toThrow(/hostNetwork cannot.*; .*hostPID cannot/);
  });

  it('confines sidecars like the server, except for their file systems', () => {
    const { containers } = deploy('restricted', sidecar({ securityContext: { readOnlyRootFilesystem: true } })).spec;
    expect(containers.find(({ name }) => name === 'proxy')?.['securityContext']).toEqual({
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('applies to the volumes of a configYAML, too', () => {
    const configYAML = 'auth: {mode: anonymous}\nregistries: [{name: x, file: {path: /mnt/r.json}}]';
    const raw = (source: object, mountPath: string) => ({
      configYAML,
      volumes: [{ name: 'v', ...source }],
      volumeMounts: [{ name: 'v', mountPath }],
    });
    expect(() => deploy('restricted', raw({ configMap: { name: 'x' } }, '/mnt/x'))).not.toThrow();
    expect(() => deploy('restricted', raw({ hostPath: { path: '/' } }, '/mnt/x'))).toThrow('spec.volumes[v].hostPath');
    expect(() => deploy('restricted', raw({ configMap: { name: 'x' } }, '/app'))).toThrow('spec.volumeMounts[v]');
    expect(() => deploy('deny', raw({ configMap: { name: 'x' } }, '/mnt/x'))).toThrow('spec.volumes cannot be set');
  });
});

describe('the policy "deny"', () => {
  it('rejects any podTemplateSpec, but nothing else', () => {
    expect(() => deploy('deny', withPod({}))).toThrow('spec.podTemplateSpec cannot be set');
    expect(() => deploy('deny', {})).not.toThrow();
  });
});
