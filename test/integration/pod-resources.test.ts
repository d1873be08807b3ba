import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { readSpec } from '#activities/plan.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { LiveConfig } from '#registry-api/resources/live-config.js';
import { PodResources } from '#registry-api/resources/pod-resources.js';
import { allowed } from '#support/allowed.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { silent } from '#support/quiet-temporal.js';
import { sharedApiServer } from '#support/shared-api-server.js';

let address: ApiServerAddress;
let admin: HttpKubernetesApi;
/** The server's ServiceAccount, which may read no more than its Role names. */
let server: HttpKubernetesApi;
let namespace: string;
let directory: string;
let live: LiveConfig;

beforeAll(async () => {
  address = await sharedApiServer();
  admin = new HttpKubernetesApi(adminAccess(address));
});

beforeEach(async () => {
  namespace = await createNamespace(admin);
  directory = await mkdtemp(join(tmpdir(), 'pod-resources-'));
  server = new HttpKubernetesApi(accessAs(address, `server-of-${namespace}`));
  await mount('config/config.yaml', config('as mounted'));
  ({ config: live } = await LiveConfig.open(join(directory, 'config', 'config.yaml'), silent));
});

afterEach(async () => {
  live.stop();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

afterAll(() => admin.close());

const registry = () => ({ namespace, name: 'tools', uid: 'u' });

function config(displayName: string): string {
  const source = { name: 'local', configMapRef: { name: 'data', key: 'servers.json' } };
  return JSON.stringify({ displayName, auth: { mode: 'anonymous' }, registries: [source] });
}

async function mount(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
}

/** What kubelet makes of an optional volume whose object does not exist. */
async function mountNothing(path: string): Promise<void> {
  const folder = join(directory, path);
  await mkdir(join(folder, '..2026_11_24_18_00_00.1'), { recursive: true });
  await symlink('..2026_11_24_18_00_00.1', join(folder, '..data'));
}

async function applyConfigMap(
  name: string,
  data: object,
  metadata: object = {},
  kind: object = { data },
): Promise<void> {
  await admin.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...metadata },
    ...kind,
  } as never);
}

function applyConfig(displayName: string, generation: number): Promise<void> {
  const data = { 'config.yaml': config(displayName), generation: String(generation) };
  return applyConfigMap('tools-registry-server-config', data);
}

/** What the operator grants. */
async function grant(...configMaps: string[]): Promise<void> {
  const metadata = { name: 'tools-registry-api', namespace };
  const group = 'rbac.authorization.k8s.io';
  const rules = [
    ...(configMaps.length > 0
      ? [{ apiGroups: [''], resources: ['configmaps'], resourceNames: configMaps, verbs: ['get'] }]
      : []),
    {
      apiGroups: ['toolhive.stacklok.dev'],
      resources: ['mcpservers', 'mcpremoteproxies', 'virtualmcpservers'],
      verbs: ['get', 'list', 'watch'],
    },
  ];
  await admin.apply({ apiVersion: `${group}/v1`, kind: 'Role', metadata, rules } as never);
  const roleRef = { apiGroup: group, kind: 'Role', name: metadata.name };
  const subjects = [{ apiGroup: group, kind: 'User', name: `server-of-${namespace}` }];
  await admin.apply({ apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects } as never);
  await allowed(() => server.get('MCPServer', namespace, 'any'));
}

function resources(cluster: HttpKubernetesApi | undefined = server): PodResources {
  if (cluster) live.follow(cluster, registry());
  return new PodResources({
    registry: registry(),
    config: live,
    cluster,
    configDirectory: join(directory, 'config'),
    secretsDirectory: join(directory, 'secrets'),
  });
}

async function displayNameOf(from: PodResources): Promise<string | undefined> {
  const read = readSpec((await from.findRegistry(registry()))!);
  return 'spec' in read ? read.spec.displayName : read.invalid;
}

it('reads its configuration and sources as the cluster has them, an edit at once', async () => {
  await grant('tools-registry-server-config', 'data');
  await applyConfig('first', 3);
  const pod = resources();
  expect(await pod.findRegistry(registry())).toMatchObject({ generation: 3 });
  expect(await displayNameOf(pod)).toBe('first');
  await applyConfig('second', 4);
  expect(await pod.findRegistry(registry())).toMatchObject({ generation: 4 });
  expect(await displayNameOf(pod)).toBe('second');
  expect(live.spec.displayName).toBe('second');

  await applyConfigMap('data', { 'servers.json': 'one' });
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('one');
  await applyConfigMap('data', {}, {}, { binaryData: { 'servers.json': Buffer.from('two').toString('base64') } });
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('two');
});

it('names the ConfigMap that does not exist, and the keys of one that lacks the one', async () => {
  await grant('tools-registry-server-config', 'data');
  const pod = resources();
  await expect(pod.configMapKey(namespace, 'data', 'servers.json')).rejects.toMatchObject({
    reason: 'ConfigMapNotFound',
    message: expect.stringContaining('ConfigMap data does not exist'),
  });
  await applyConfigMap('data', { 'server.json': '' });
  await expect(pod.configMapKey(namespace, 'data', 'servers.json')).rejects.toMatchObject({
    reason: 'KeyNotFound',
    message: expect.stringContaining('it has server.json'),
  });
});

it('falls back on what is mounted where the cluster does not let it read', async () => {
  const pod = resources();
  expect(await displayNameOf(pod)).toBe('as mounted');
  await mount('config/registry/local/registry.json', 'mounted');
  await mount('config/certs/roots/ca.crt', 'certificate');
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('mounted');
  expect(String(await pod.configMapKey(namespace, 'roots', 'ca.crt'))).toBe('certificate');
  await expect(pod.configMapKey(namespace, 'other', 'a')).rejects.toMatchObject({
    destiny: 'retry',
    message: expect.stringMatching(/forbidden.*let the ServiceAccount of the server get it$/s),
  });
});

it('follows what is mounted where the cluster does not let it read, and knows of which generation that is', async () => {
  await mount('config/generation', '3');
  const pod = resources();
  expect(await pod.findRegistry(registry())).toMatchObject({ generation: 3 });
  await mount('config/config.yaml', config('edited'));
  await mount('config/generation', '4');
  expect(await pod.findRegistry(registry())).toMatchObject({ generation: 4 });
  expect(await displayNameOf(pod)).toBe('edited');
  await mount('config/generation', '2');
  expect(await pod.findRegistry(registry())).toMatchObject({ generation: 4 });
});

it('goes on with what it knew last when the API server does not answer', async () => {
  await grant('tools-registry-server-config');
  await applyConfig('newer than the mount', 2);
  const pod = resources();
  expect(await displayNameOf(pod)).toBe('newer than the mount');
  const away = { server: new URL('https://127.0.0.1:1'), credentials: async () => ({ headers: {}, tls: {} }) };
  live.follow(new HttpKubernetesApi(away), registry());
  expect(await displayNameOf(pod)).toBe('newer than the mount');
});

it('reads Secrets where they are mounted, and says which are not', async () => {
  const pod = resources();
  await mount('secrets/git/token', 'hunter2');
  expect(String(await pod.secretKey(namespace, 'git', 'token'))).toBe('hunter2');
  await expect(pod.secretKey(namespace, 'git', 'password')).rejects.toMatchObject({ reason: 'KeyNotFound' });
  await expect(pod.secretKey(namespace, 'other', 'token')).rejects.toMatchObject({ reason: 'SecretNotFound' });
  await mountNothing('secrets/absent');
  await expect(pod.secretKey(namespace, 'absent', 'token')).rejects.toMatchObject({
    reason: 'SecretNotFound',
    message: expect.stringContaining('Secret absent is missing'),
  });
});

it('says which certificate is missing, although it may not ask the cluster', async () => {
  const pod = resources();
  await mountNothing('config/certs/absent');
  await expect(pod.configMapKey(namespace, 'absent', 'ca.crt')).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
  await mount('config/certs/roots/ca.crt', 'certificate');
  await expect(pod.configMapKey(namespace, 'roots', 'tls.crt')).rejects.toMatchObject({ reason: 'KeyNotFound' });
});

it('knows no other registry', async () => {
  expect(await resources().findRegistry({ ...registry(), uid: 'later' })).toBeUndefined();
});

it('lists no MCP servers while it may not, and says who is to let it', async () => {
  const pod = resources();
  await expect(pod.serverObjects(namespace)).rejects.toMatchObject({
    reason: 'KubernetesRefused',
    destiny: 'retry',
    message: expect.stringMatching(/forbidden.*let the ServiceAccount of the server get, list and watch them$/s),
  });
  await grant();
  expect(await pod.serverObjects(namespace)).toEqual([]);
});
