import { afterAll, describe, expect, it } from 'vitest';
import { apply, deleteNamespaces, ensureNamespace, kubectl, until } from './support/cluster.js';
import { awaitReady, awaitStatus, condition, createRegistry, servers } from './support/registry.js';
import { upstreamCatalogue } from './support/sources.js';

const namespaces = new Set<string>();

async function inNamespace(name: string): Promise<string> {
  await ensureNamespace(name);
  namespaces.add(name);
  const data = { 'registry.json': upstreamCatalogue(['com.example/one']) };
  await apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'catalogue', namespace: name }, data }]);
  return name;
}

const local = { name: 'local', format: 'upstream', configMapRef: { name: 'catalogue', key: 'registry.json' } };
const anonymous = { mode: 'anonymous' };
const withContainer = (container: object) => ({
  auth: anonymous,
  registries: [local],
  podTemplateSpec: { spec: { containers: [{ name: 'registry-api', ...container }] } },
});

/**
 * Covers what can prevent a registry from running. The status must contain the message of the component that prevented
 * it, and the registry must run once the cause is fixed.
 */
describe('a registry that cannot run says why', () => {
  afterAll(() => deleteNamespaces([...namespaces]));

  it('a resource quota', async () => {
    const namespace = await inNamespace('e2e-quota');
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace } };
    await apply([{ ...quota, spec: { hard: { pods: '0' } } }]);
    const registry = await createRegistry(namespace, 'held', { auth: anonymous, registries: [local] });
    await awaitStatus(registry, 'names the quota', ({ message }) => message.includes('exceeded quota: none'));
    await kubectl(['delete', 'resourcequota', 'none', '--namespace', namespace]);
    await awaitReady(registry);
  });

  it('an image that cannot be pulled', async () => {
    const namespace = await inNamespace('e2e-image');
    const registry = await createRegistry(namespace, 'held', withContainer({ image: 'localhost/absent:1' }));
    await awaitStatus(registry, 'names the image', ({ message }) => message.includes('localhost/absent:1'));
    await createRegistry(namespace, 'held', withContainer({}));
    await awaitReady(registry);
  });

  it('a container that ends again and again', async () => {
    const namespace = await inNamespace('e2e-crash');
    const crash = { command: ['node', '-e', 'process.exit(3)'] };
    const registry = await createRegistry(namespace, 'held', withContainer(crash));
    await awaitStatus(registry, 'tells of the crashes', ({ message }) => /CrashLoopBackOff|exit code 3/.test(message));
    await createRegistry(namespace, 'held', { auth: anonymous, registries: [local] });
    await awaitReady(registry);
  });

  it('a pod template that is none, which can still be deleted', async () => {
    const namespace = await inNamespace('e2e-template-invalid');
    const podTemplateSpec = { spec: { containers: [{ name: 'registry-api', ports: 'none' }] } };
    const registry = await createRegistry(namespace, 'held', { auth: anonymous, registries: [local], podTemplateSpec });
    const status = await awaitStatus(registry, 'refuses the template', ({ phase }) => phase === 'Failed');
    expect(condition(status, 'PodTemplateValid')).toMatchObject({ status: 'False', reason: 'InvalidPodTemplateSpec' });
    await kubectl(['delete', 'mcpregistry', 'held', '--namespace', namespace, '--timeout', '180s']);
  });

  it('a Deployment of another owner with its name, which is left alone', async () => {
    const namespace = await inNamespace('e2e-foreign');
    const labels = { app: 'foreign' };
    const containers = [{ name: 'pause', image: 'localhost/pause:1' }];
    const foreign = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'held-api', namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    };
    await apply([foreign]);
    const registry = await createRegistry(namespace, 'held', { auth: anonymous, registries: [local] });
    const status = await awaitStatus(registry, 'names the Deployment', ({ message }) => message.includes('held-api'));
    expect(status.phase).toBe('Failed');
    expect(condition(status, 'APIReady')).toMatchObject({ status: 'False', reason: 'DeploymentFailed' });
    await kubectl(['delete', 'deployment', 'held-api', '--namespace', namespace]);
    await awaitReady(registry);
  });

  it('a password that is missing holds up its own source only', async () => {
    const namespace = await inNamespace('e2e-secret');
    const git = {
      repository: 'https://github.com/stacklok/toolhive.git',
      path: 'pkg/registry/data/registry.json',
      auth: { username: 'robot', passwordSecretRef: { name: 'git-password', key: 'token' } },
    };
    const registry = await createRegistry(namespace, 'held', {
      auth: anonymous,
      registries: [local, { name: 'private', format: 'toolhive', git }],
    });
    const status = await awaitStatus(registry, 'names the Secret', ({ conditions }) =>
      conditions.some(({ type, message }) => type === 'SourceAvailable' && message.includes('git-password')),
    );
    expect(status.phase).not.toBe('Ready');
    await until(
      'the other source is served',
      () => servers(registry, 'local'),
      (list) => list.servers.length === 1,
    );
    const metadata = { name: 'git-password', namespace };
    await apply([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token: 'any' } }]);
    await awaitReady(registry);
  });
});
