import { describe, expect, it } from 'vitest';
import { blueprint, database } from '../testing/blueprint.js';
import { toDeployment, toReaders } from './deployment.js';
import { toNetworkPolicy } from './network-policy.js';
import type { Container, PodTemplate } from './pod.js';
import { readerNotices, withReaders } from './readers.js';
import { toService, toWriterService } from './service.js';

const git = {
  name: 'git',
  git: {
    repository: 'https://git.example/x.git',
    auth: { username: 'u', passwordSecretRef: { name: 'token', key: 'password' } },
  },
};
const claim = { name: 'shared', pvcRef: { claimName: 'data', path: 'a.json' } };
const spec = { registries: [git, claim], databaseConfig: database, server: { readers: 3 } };
const versions = { 'Secret token, key password': 'v1', 'Secret passwords, key app': 'v1' };
const claims = { data: ['ReadWriteOnce'] };

interface Wanted {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly strategy: { readonly type: string };
    readonly selector: { readonly matchLabels: object };
    readonly template: PodTemplate;
  };
}

function readers(more: object = {}, overrides: Parameters<typeof blueprint>[1] = { versions, claims }) {
  const { deployment, hash } = toReaders(blueprint({ ...spec, ...more }, overrides));
  const wanted = deployment as unknown as Wanted;
  const main = wanted.spec.template.spec.containers.find(({ name }) => name === 'registry-api') as Container;
  return { ...wanted, hash, main, pod: wanted.spec.template.spec };
}

const namesOf = (items: readonly { readonly name: string }[] = []) => items.map(({ name }) => name);

describe('the read-only servers', () => {
  it('have their own Deployment, with the number of pods in the spec', () => {
    const { metadata, spec: wanted, main } = readers();
    expect(metadata.name).toBe('tools-api-readers');
    expect(wanted.replicas).toBe(3);
    const labels = { 'app.kubernetes.io/name': 'tools-api-readers', 'app.kubernetes.io/component': 'registry-api' };
    expect(wanted.selector.matchLabels).toEqual(labels);
    expect(wanted.template.metadata.labels).toMatchObject({
      ...labels,
      'toolhive.stacklok.dev/registry-name': 'tools',
    });
    expect(main['args']).toEqual(['serve', '--config=/config/config.yaml', '--read-only']);
    expect(main.env).toContainEqual({
      name: 'REGISTRY_WRITER_URL',
      value: 'http://tools-api-writer.team.svc:8080',
    });
  });

  it('mount nothing for Temporal or sources, so that no pod waits for a claim on another node', () => {
    const { pod, main, spec: wanted } = readers();
    expect(namesOf(pod.volumes)).toEqual(['registry-server-config', 'storage-data', 'tmp', 'pgpass-secret', 'pgpass']);
    expect(namesOf(main.volumeMounts)).toEqual(['registry-server-config', 'storage-data', 'tmp', 'pgpass']);
    expect(wanted.strategy.type).toBe('RollingUpdate');
  });

  it('are replaced after a change of the database password, but not of a source token or of their number', () => {
    const { hash } = readers();
    expect(readers({ server: { readers: 50 } }).hash).toBe(hash);
    expect(readers({}, { versions: { ...versions, 'Secret token, key password': 'v2' }, claims }).hash).toBe(hash);
    expect(readers({}, { versions: { ...versions, 'Secret passwords, key app': 'v2' }, claims }).hash).not.toBe(hash);
  });

  it.each(['Secret passwords, key app', 'Secret passwords, key migrator'])(
    'are replaced for %s when a source reads the same key',
    (key) => {
      const [name, ref] = key.replace('Secret ', '').split(', key ') as [string, string];
      const auth = { username: 'u', passwordSecretRef: { name, key: ref } };
      const registries = [{ ...git, git: { ...git.git, auth } }];
      const hashAt = (version: string) => readers({ registries }, { versions: { [key]: version }, claims }).hash;
      expect(hashAt('v2')).not.toBe(hashAt('v1'));
    },
  );

  it('use the podTemplateSpec of the user', () => {
    const podTemplateSpec = {
      metadata: { labels: { 'app.kubernetes.io/name': 'x' } },
      spec: {
        nodeSelector: { disk: 'fast' },
        containers: [{ name: 'registry-api', resources: { limits: { cpu: '2' } } }],
      },
    };
    const { pod, main, spec: wanted } = readers({ podTemplateSpec });
    expect(pod['nodeSelector']).toEqual({ disk: 'fast' });
    expect(main['resources']).toEqual({ limits: { cpu: '2' } });
    expect(wanted.template.metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'tools-api-readers' });
  });

  it('do not change the server', () => {
    const of = (more: object) => toDeployment(blueprint({ ...spec, ...more }, { versions, claims }));
    expect(of({})).toEqual(of({ server: undefined }));
  });

  it('share the Service and the NetworkPolicy of the server, which accepts the changes that they forward', () => {
    const of = blueprint(spec);
    const members = {
      'app.kubernetes.io/component': 'registry-api',
      'toolhive.stacklok.dev/registry-name': 'tools',
    };
    expect(toService(of)).toMatchObject({ metadata: { name: 'tools-api' }, spec: { selector: members } });
    expect(toWriterService(of)).toMatchObject({
      metadata: { name: 'tools-api-writer' },
      spec: { selector: { 'app.kubernetes.io/name': 'tools-api', 'app.kubernetes.io/component': 'registry-api' } },
    });
    const clients = [{ namespaceSelector: { matchLabels: { team: 'agents' } } }];
    const reader = { podSelector: { matchLabels: readers().spec.selector.matchLabels } };
    expect(toNetworkPolicy(of, { clients, metrics: [] })).toMatchObject({
      spec: { podSelector: { matchLabels: members }, ingress: [{ from: [...clients, reader] }] },
    });
    const open = toNetworkPolicy(of, { clients: [], metrics: [] }) as unknown as { spec: { ingress: object[] } };
    expect(open.spec.ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 8080 }] }]);
  });

  it('require a database outside of the pod, which is reported', () => {
    const without = blueprint({ server: { readers: 2 } });
    expect(withReaders(without).spec.readers).toBe(0);
    expect(readerNotices(without)).toMatchObject([{ reason: 'ReadersNeedDatabase' }]);
    expect(readerNotices(blueprint(spec))).toEqual([]);
    const configYAML =
      'auth: {mode: anonymous}\nregistries: [{name: x, file: {path: /r.json}}]\ndatabase: {host: db}\n';
    const raw = withReaders(blueprint({ configYAML, server: { readers: 2 } }));
    expect(raw.spec.readers).toBe(2);
    expect(readerNotices(raw)).toEqual([]);
  });
});
