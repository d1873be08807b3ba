import { describe, expect, it } from 'vitest';
import { blueprint, database, settings } from '../testing/blueprint.js';
import type { Blueprint } from './blueprint.js';
import { toConfigMap } from './config.js';
import { toDeployment } from './deployment.js';
import type { Container, PodTemplate } from './pod.js';

interface Deployment {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly strategy: { readonly type: string };
    readonly template: PodTemplate;
  };
}

function deploy(spec: object = {}, overrides: Partial<Omit<Blueprint, 'spec'>> = {}) {
  const { deployment, hash, warnings } = toDeployment(blueprint(spec, overrides));
  const { metadata, spec: wanted } = deployment as unknown as Deployment;
  const pod = wanted.template.spec;
  const main = pod.containers.find(({ name }) => name === 'registry-api')!;
  return { metadata, wanted, pod, main, hash, warnings, template: wanted.template };
}

const withPod = (podSpec: object, metadata: object = {}) => ({ podTemplateSpec: { metadata, spec: podSpec } });
const variables = ({ env = [] }: Container) =>
  Object.fromEntries(env.map(({ name, ...rest }) => [name, rest['value'] ?? rest]));
const mounts = ({ volumeMounts = [] }: Container) =>
  Object.fromEntries(volumeMounts.map(({ name, mountPath }) => [mountPath, name]));
const volume = (of: ReturnType<typeof deploy>, name: string) => of.pod.volumes.find((each) => each.name === name);

const git = (name: string, key: string, repository = 'https://git.example/x.git') => ({
  name,
  git: { repository, auth: { username: 'u', passwordSecretRef: { name: 'token', key } } },
});
const configMap = { name: 'Local', configMapRef: { name: 'catalogue', key: 'x.json' } };
const claim = { name: 'shared', pvcRef: { claimName: 'data', path: 'a/b.json' } };
const provider = {
  name: 'idp',
  issuerUrl: 'https://idp.example',
  audience: 'a',
  clientId: 'c',
  clientSecretRef: { name: 'client', key: 'secret' },
  caCertRef: { name: 'idp-ca', key: 'ca.crt' },
  authTokenRef: { name: 'token', key: 'bearer' },
};
const oauth = { authConfig: { oauth: { providers: [provider] } } };

describe('the server', () => {
  it('gets its identity, the path of its configuration, and the hash of its pod', () => {
    const { main, hash, template } = deploy();
    expect(main['args']).toEqual(['serve', '--config=/config/config.yaml']);
    expect(variables(main)).toEqual({
      REGISTRY_NAMESPACE: 'team',
      REGISTRY_NAME: 'tools',
      REGISTRY_UID: '0b1c',
      REGISTRY_POD_HASH: hash,
      POD_NAME: { valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    });
    expect(template.metadata.annotations['toolhive.stacklok.dev/config-hash']).toBe(hash);
  });

  it('runs as any user except root, without privileges, with a read-only root file system', () => {
    const { main, pod } = deploy();
    expect(main['securityContext']).toEqual({
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod['securityContext']).toBeUndefined();
    expect(mounts(main)).toMatchObject({ '/data': 'storage-data', '/tmp': 'tmp' });
  });

  it('is probed on the internal port', () => {
    const { main } = deploy();
    expect(main['livenessProbe']).toEqual({
      httpGet: { path: '/health', port: 8081 },
      initialDelaySeconds: 30,
      periodSeconds: 10,
    });
    expect(main['readinessProbe']).toEqual({
      httpGet: { path: '/readiness', port: 8081 },
      initialDelaySeconds: 1,
      periodSeconds: 1,
      failureThreshold: 15,
    });
    expect(main['resources']).toEqual({
      requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '0' },
      limits: { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '7Gi' },
    });
  });

  it('is the default container of kubectl logs, even with sidecars', () => {
    const annotations = deploy(withPod({ containers: [{ name: 'a-first', image: 'x' }] })).template.metadata
      .annotations;
    expect(annotations['kubectl.kubernetes.io/default-container']).toBe('registry-api');
  });

  it('does not set the number of replicas', () => {
    expect(deploy().wanted).not.toHaveProperty('replicas');
  });
});

describe('files in the pod', () => {
  it('include a mount for each source that is a volume', () => {
    const of = deploy({ registries: [configMap, claim] }, { claims: { data: ['ReadWriteMany'] } });
    const places = mounts(of.main);
    expect(volume(of, places['/config/registry/shared']!)).toEqual({
      name: 'registry-data-source-shared',
      persistentVolumeClaim: { claimName: 'data', readOnly: true },
    });
    expect(Object.keys(places)).not.toContain('/config/registry/Local');
  });

  it.each([{ serviceAccountName: 'theirs' }, { automountServiceAccountToken: false }])(
    'include the ConfigMaps of sources if the pod may not use the Kubernetes API: %j',
    (podSpec) => {
      const of = deploy({ registries: [configMap], ...withPod(podSpec) });
      expect(volume(of, mounts(of.main)['/config/registry/Local']!)).toMatchObject({
        configMap: { name: 'catalogue', items: [{ key: 'x.json', path: 'registry.json' }], optional: true },
      });
    },
  );

  it('do not include a claim that does not exist, because the pod would wait for it', () => {
    expect(Object.keys(mounts(deploy({ registries: [claim] }).main))).not.toContain('/config/registry/shared');
  });

  it('include every key of a Secret that is read, in one volume', () => {
    const of = deploy({ ...oauth, registries: [git('a', 'one'), git('b', 'two'), git('c', 'one')] });
    expect(volume(of, mounts(of.main)['/secrets/token']!)).toEqual({
      name: 'git-auth-token',
      secret: {
        secretName: 'token',
        items: ['one', 'two', 'bearer'].map((key) => ({ key, path: key })),
        optional: true,
      },
    });
  });

  it('include the objects that the identity providers refer to', () => {
    const of = deploy(oauth);
    expect(volume(of, mounts(of.main)['/secrets/client']!)).toMatchObject({ secret: { secretName: 'client' } });
    expect(volume(of, mounts(of.main)['/config/certs/idp-ca']!)).toMatchObject({ configMap: { name: 'idp-ca' } });
  });

  it('include the certificate authorities of the site, next to the configuration', () => {
    const site = { settings: { ...settings, caBundle: 'PEM' } };
    expect(variables(deploy({}, site).main)).toMatchObject({ NODE_EXTRA_CA_CERTS: '/config/ca-bundle.crt' });
    expect(toConfigMap(blueprint({}, site))).toMatchObject({ data: { 'ca-bundle.crt': 'PEM' } });
    expect(deploy({}, { settings: { ...settings, caBundle: 'other' } }).hash).not.toBe(deploy({}, site).hash);
  });

  it('have a size limit for each emptyDir', () => {
    const limits = (overrides = {}) =>
      deploy({ databaseConfig: database }, overrides).pod.volumes.flatMap(({ name, emptyDir }) =>
        emptyDir === undefined ? [] : [[name, (emptyDir as { sizeLimit?: string }).sizeLimit]],
      );
    expect(Object.fromEntries(limits())).toEqual({ 'storage-data': '5Gi', tmp: '1Gi', pgpass: '1Mi' });
    const storage = { data: '50Gi' };
    expect(Object.fromEntries(limits({ settings: { ...settings, storage } }))).toMatchObject({
      'storage-data': '50Gi',
      tmp: '1Gi',
    });
  });

  it('are prepared by an init container with the resources of the server, so that a LimitRange or quota admits both', () => {
    const prepared = (spec: object, overrides = {}) =>
      deploy({ databaseConfig: database, ...spec }, overrides).pod.initContainers?.[0]?.['resources'];
    expect(prepared({})).toEqual(deploy().main['resources']);
    const resources = { requests: { cpu: '1' } };
    expect(prepared({}, { settings: { ...settings, resources } })).toEqual(resources);
    expect(prepared(withPod({ containers: [{ name: 'registry-api', resources }] }))).toEqual(resources);
    expect(prepared(withPod({ initContainers: [{ name: 'setup-pgpass', resources }] }))).toEqual(resources);
  });

  it('include a pgpass file that libpq accepts, copied by the same image', () => {
    const of = deploy({ databaseConfig: { ...database, caCertRef: { name: 'db-ca' } } });
    expect(of.pod.initContainers).toMatchObject([
      {
        name: 'setup-pgpass',
        image: settings.image,
        args: ['setup-pgpass'],
        securityContext: of.main['securityContext'],
      },
    ]);
    expect(volume(of, 'pgpass-secret')).toMatchObject({
      secret: { secretName: 'tools-db-pgpass', items: [{ key: '.pgpass', path: '.pgpass' }] },
    });
    expect(of.main.volumeMounts).toContainEqual({
      name: 'pgpass',
      mountPath: '/home/appuser/.pgpass',
      subPath: '.pgpass',
      readOnly: true,
    });
    expect(variables(of.main)).toMatchObject({ PGPASSFILE: '/home/appuser/.pgpass' });
    expect(mounts(of.main)['/config/certs/db-ca']).toBe('ca-db-ca');
  });

  it('are those of the user with a configYAML, with its own pgpass file', () => {
    const of = deploy({
      configYAML: 'auth: {mode: anonymous}\nregistries: [{name: x, file: {path: /mine/registry.json}}]',
      volumes: [{ name: 'mine', configMap: { name: 'm' } }],
      volumeMounts: [{ name: 'mine', mountPath: '/mine' }],
      pgpassSecretRef: { name: 'ready', key: 'pgpass' },
    });
    expect(mounts(of.main)['/mine']).toBe('mine');
    expect(volume(of, 'pgpass-secret')).toMatchObject({
      secret: { secretName: 'ready', items: [{ key: 'pgpass', path: '.pgpass' }] },
    });
  });
});

describe('a new pod', () => {
  const base = { registries: [git('a', 'one'), { name: 'm', configMapRef: { name: 'x', key: 'y' } }] };
  const hash = (spec: object, overrides?: Partial<Omit<Blueprint, 'spec'>>) => deploy(spec, overrides).hash;

  it.each<[string, object]>([
    ['a filter', { filter: { names: { include: ['x/*'] } } }],
    ['an interval', { syncPolicy: { interval: '1h' } }],
    ['a format', { format: 'upstream' }],
  ])('is not needed for %s', (_, edit) => {
    const edited = { registries: [{ ...base.registries[0], ...edit }, base.registries[1]] };
    expect(hash(edited)).toBe(hash(base));
    expect(deploy(edited).template).toEqual(deploy(base).template);
  });

  it('is not needed when a ConfigMap source is added or removed', () => {
    const more = { registries: [...base.registries, configMap] };
    expect(hash(more)).toBe(hash(base));
    expect(deploy(more).template).toEqual(deploy(base).template);
  });

  it.each<[string, object, Partial<Omit<Blueprint, 'spec'>>?]>([
    ['another image', base, { settings: { ...settings, image: 'other' } }],
    ['a database', { ...base, databaseConfig: database }],
    ['another identity provider', { ...base, ...oauth }],
    ['an edited Secret that it has mounted', base, { versions: { 'Secret token, key one': '2' } }],
    ['a pod template', { ...base, ...withPod({ nodeSelector: { a: 'b' } }) }],
  ])('is needed for %s', (_, spec, overrides) => {
    expect(hash(spec, overrides)).not.toBe(hash(base, { versions: {} }));
  });

  it('is needed for a claim that has been created since', () => {
    expect(hash({ registries: [claim] }, { claims: { data: ['ReadOnlyMany'] } })).not.toBe(
      hash({ registries: [claim] }),
    );
  });

  it('is needed for changes of the database of a configYAML, but not of its sources', () => {
    const config = (interval: string, host: string) => ({
      configYAML: `auth: {mode: anonymous}\ndatabase: {host: ${host}}\nregistries: [{name: x, file: {path: /r.json}, syncPolicy: {interval: ${interval}}}]`,
    });
    expect(hash(config('1h', 'a'))).toBe(hash(config('2h', 'a')));
    expect(hash(config('1h', 'b'))).not.toBe(hash(config('1h', 'a')));
  });

  it.each([
    ['Recreate', ['ReadWriteOnce']],
    ['Recreate', ['ReadWriteOncePod']],
    ['RollingUpdate', ['ReadWriteOnce', 'ReadOnlyMany']],
    ['RollingUpdate', ['ReadWriteMany']],
  ])('is rolled out by %s when the claim is %j', (type, modes) => {
    expect(deploy({ registries: [claim] }, { claims: { data: modes } }).wanted.strategy.type).toBe(type);
  });

  it('waits for the old one when the claim is in the pod template', () => {
    const volumes = [{ name: 'mine', persistentVolumeClaim: { claimName: 'own' } }];
    expect(deploy(withPod({ volumes }), { claims: { own: ['ReadWriteOnce'] } }).wanted.strategy.type).toBe('Recreate');
  });
});

describe('a pod template of the user', () => {
  it('takes precedence over the default one, container by container', () => {
    const of = deploy(
      withPod(
        {
          priorityClassName: 'high',
          serviceAccountName: 'theirs',
          imagePullSecrets: [{ name: 'theirs' }],
          containers: [
            { name: 'registry-api', image: 'mirror/x', env: [{ name: 'LOG_LEVEL', value: 'debug' }] },
            { name: 'proxy', image: 'proxy:1' },
          ],
        },
        { labels: { team: 'a' }, annotations: { 'prometheus.io/scrape': 'true' } },
      ),
    );
    expect(of.pod).toMatchObject({
      priorityClassName: 'high',
      serviceAccountName: 'theirs',
      imagePullSecrets: [{ name: 'theirs' }],
    });
    expect(of.main).toMatchObject({ image: 'mirror/x', args: ['serve', '--config=/config/config.yaml'] });
    expect(variables(of.main)).toMatchObject({ LOG_LEVEL: 'debug', REGISTRY_NAME: 'tools' });
    expect(of.pod.containers.map(({ name }) => name)).toEqual(['registry-api', 'proxy']);
    expect(of.template.metadata.labels).toMatchObject({ team: 'a', 'app.kubernetes.io/instance': 'tools' });
    expect(of.template.metadata.annotations).toMatchObject({ 'prometheus.io/scrape': 'true' });
  });

  it('replaces requests and limits as a whole: more memory than the default limit is valid', () => {
    const resources = { requests: { memory: '1Gi' } };
    expect(deploy(withPod({ containers: [{ name: 'registry-api', resources }] })).main['resources']).toEqual(resources);
  });

  it('cannot change the labels by which the pods are found', () => {
    const registryLabel = 'toolhive.stacklok.dev/registry-name';
    const labels = { 'app.kubernetes.io/name': 'x', 'app.kubernetes.io/component': 'y', [registryLabel]: null };
    const { template, wanted } = deploy(withPod({}, { labels }));
    expect(template.metadata.labels).toMatchObject({ ...wanted.selector.matchLabels, [registryLabel]: 'tools' });
  });

  it('may set the label managed-by', () => {
    const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
    expect(deploy(withPod({}, { labels })).template.metadata.labels).toMatchObject(labels);
  });

  it('is marked on the Deployment while it exists', () => {
    const annotation = 'toolhive.stacklok.io/podtemplatespec-hash';
    expect(deploy(withPod({})).metadata.annotations?.[annotation]).toMatch(/^[0-9a-f]+$/);
    expect(deploy().metadata.annotations).toBeUndefined();
  });

  it('may have only sidecars, which is reported', () => {
    const { warnings, pod } = deploy(withPod({ containers: [{ name: 'server', image: 'x' }] }));
    expect(warnings).toEqual([
      {
        reason: 'SidecarsOnly',
        message: 'podTemplateSpec has no container named registry-api: server run next to it',
      },
    ]);
    expect(pod.containers).toHaveLength(2);
  });

  it('may replace /tmp', () => {
    const tmp = { name: 'tmp', emptyDir: { medium: 'Memory' } };
    expect(volume(deploy(withPod({ volumes: [tmp] })), 'tmp')).toEqual(tmp);
  });

  const mount = (mountPath: string) => ({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ name: 'registry-api', volumeMounts: [{ name: 'v', mountPath }] }],
  });

  it.each<[string, object, RegExp]>([
    ['containers that are no list', { containers: 'x' }, /containers must be a list of objects that each have a name/],
    ['a container without name', { containers: [{ image: 'x' }] }, /each have a name/],
    [
      'a main container of another name',
      { containers: [{ name: 'server' }] },
      /the main container must be called registry-api/,
    ],
    ['an init container without image', { initContainers: [{ name: 'i' }] }, /initContainers\[i\] has no image/],
    [
      'a volume of ours',
      { volumes: [{ name: 'storage-data', hostPath: { path: '/' } }] },
      /storage-data.*choose another name/,
    ],
    [
      'more of our init container than its resources',
      { initContainers: [{ name: 'setup-pgpass', image: 'x', resources: {} }] },
      /setup-pgpass\]\.image cannot be set.*another name/,
    ],
    ['a place that is taken', mount('/config/'), /mounts \/config twice/],
    [
      'an identity',
      { containers: [{ name: 'registry-api', env: [{ name: 'REGISTRY_UID', value: 'x' }] }] },
      /REGISTRY_UID/,
    ],
  ])('is refused for %s', (_, podSpec, message) => {
    const refused = () => deploy({ databaseConfig: database, ...withPod(podSpec) });
    expect(refused).toThrow(expect.objectContaining({ reason: 'InvalidPodTemplateSpec', destiny: 'stop' }));
    expect(refused).toThrow(message);
  });

  it('is rejected with all errors at once', () => {
    const podSpec = { containers: [{ name: 'a' }], volumes: [{ name: 'temporal', emptyDir: {} }] };
    expect(() => deploy(withPod(podSpec))).toThrow(/containers\[a\].*; .*volumes\[temporal\]/);
  });

  it('must not conflict with the volumes of a configYAML', () => {
    const configYAML = 'auth: {mode: anonymous}\nregistries: [{name: x, file: {path: /r.json}}]';
    const volumes = [{ name: 'tmp', emptyDir: {} }];
    expect(() => deploy({ configYAML, volumes })).toThrow(expect.objectContaining({ reason: 'ValidationFailed' }));
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const both = { configYAML, volumes: [{ name: 'v', emptyDir: {} }], volumeMounts, ...withPod(mount('/v')) };
    expect(() => deploy(both)).toThrow(/volumes\[v\].*; .*mounts \/v twice/);
  });
});
