import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { YAML_LIMIT } from '#sources/yaml/config-yaml.js';
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
/** The client of the server's ServiceAccount, which may read only what its Role lists. */
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

/** Creates the folder that the kubelet creates for an optional volume whose object does not exist. */
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

/** Creates the permissions that the operator grants. */
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

function resources(cluster: HttpKubernetesApi = server): PodResources {
  live.follow(cluster, registry());
  return new PodResources(optionsOf(cluster));
}

function optionsOf(cluster: HttpKubernetesApi | undefined) {
  return {
    registry: registry(),
    config: live,
    cluster,
    configDirectory: join(directory, 'config'),
    secretsDirectory: join(directory, 'secrets'),
  };
}

async function displayNameOf(from: PodResources): Promise<string | undefined> {
  return (await from.findWanted(registry()))?.spec.displayName;
}

it('reads its configuration and sources from the cluster, and sees edits at once', async () => {
  await grant('tools-registry-server-config', 'data');
  await applyConfig('first', 3);
  const pod = resources();
  expect(await pod.findWanted(registry())).toMatchObject({ generation: 3 });
  expect(await displayNameOf(pod)).toBe('first');
  await applyConfig('second', 4);
  expect(await pod.findWanted(registry())).toMatchObject({ generation: 4 });
  expect(await displayNameOf(pod)).toBe('second');
  expect(live.spec.displayName).toBe('second');

  await applyConfigMap('data', { 'servers.json': 'one' });
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('one');
  await applyConfigMap('data', {}, {}, { binaryData: { 'servers.json': Buffer.from('two').toString('base64') } });
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('two');
});

it('reports a missing ConfigMap, and the keys of one without the expected key', async () => {
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

it('falls back to the mounted files if the cluster does not allow access', async () => {
  const pod = resources();
  expect(await displayNameOf(pod)).toBe('as mounted');
  await mount('config/registry/local/registry.json', 'mounted');
  await mount('config/certs/roots/ca.crt', 'certificate');
  expect(String(await pod.configMapKey(namespace, 'data', 'servers.json'))).toBe('mounted');
  expect(String(await pod.configMapKey(namespace, 'roots', 'ca.crt'))).toBe('certificate');
  await expect(pod.configMapKey(namespace, 'other', 'a')).rejects.toMatchObject({
    destiny: 'retry',
    message: expect.stringMatching(/forbidden.*allow the ServiceAccount of the server to get it$/s),
  });
});

describe('a ConfigMap of which all keys are read', () => {
  const key = { name: 'keyed', configMapRef: { name: 'data', key: 'servers.json' } };
  const folder = 'config/registry/whole';
  const readWhole = async () => {
    const source = { name: 'whole', configMapRef: { name: 'data' } };
    await mount('config/config.yaml', JSON.stringify({ auth: { mode: 'anonymous' }, registries: [key, source] }));
    const pod = resources();
    // As each sync does before it reads a source.
    await live.read();
    return pod;
  };
  const keysOf = async (pod: PodResources) => {
    const values = await pod.configMapKeys(namespace, 'data');
    return Object.fromEntries([...values].map(([name, value]) => [name, String(value)]));
  };

  it('is read where it is mounted, while the cluster does not let it be read', async () => {
    const pod = await readWhole();
    // As the kubelet mounts it: the keys are links to a folder that is replaced as a whole.
    await mount(`${folder}/..2026_1/a.json`, 'first');
    await mount(`${folder}/..2026_1/b.yaml`, 'second');
    await symlink('..2026_1', join(directory, folder, '..data'));
    for (const name of ['a.json', 'b.yaml']) await symlink(`..data/${name}`, join(directory, folder, name));
    expect(await keysOf(pod)).toEqual({ 'a.json': 'first', 'b.yaml': 'second' });
  });

  it('is read from the cluster if that is allowed', async () => {
    await grant('data');
    await applyConfigMap('data', { 'a.json': 'as the cluster has it' });
    const pod = await readWhole();
    await mount(`${folder}/a.json`, 'as it was mounted');
    expect(await keysOf(pod)).toEqual({ 'a.json': 'as the cluster has it' });
  });

  it('is waited for if nothing is mounted, because the right to read it may follow', async () => {
    const pod = await readWhole();
    await mountNothing(folder);
    await expect(keysOf(pod)).rejects.toMatchObject({ reason: 'KubernetesRefused', destiny: 'retry' });
  });

  it('is missing if it is not mounted and there is no cluster', async () => {
    await readWhole();
    const pod = new PodResources(optionsOf(undefined));
    await mountNothing(folder);
    await expect(keysOf(pod)).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
  });
});

it('follows the mounted files if the cluster does not allow access, and knows their generation', async () => {
  await mount('config/generation', '3');
  const pod = resources();
  expect(await pod.findWanted(registry())).toMatchObject({ generation: 3 });
  await mount('config/config.yaml', config('edited'));
  await mount('config/generation', '4');
  expect(await pod.findWanted(registry())).toMatchObject({ generation: 4 });
  expect(await displayNameOf(pod)).toBe('edited');
  await mount('config/generation', '2');
  expect(await pod.findWanted(registry())).toMatchObject({ generation: 4 });
});

it('continues with the last known state if the API server does not respond', async () => {
  await grant('tools-registry-server-config');
  await applyConfig('newer than the mount', 2);
  const pod = resources();
  expect(await displayNameOf(pod)).toBe('newer than the mount');
  const away = { server: new URL('https://127.0.0.1:1'), credentials: async () => ({ headers: {}, tls: {} }) };
  live.follow(new HttpKubernetesApi(away), registry());
  expect(await displayNameOf(pod)).toBe('newer than the mount');
});

it('reads mounted Secrets, and reports missing ones', async () => {
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

it('reports a missing certificate although it may not access the cluster', async () => {
  const pod = resources();
  await mountNothing('config/certs/absent');
  await expect(pod.configMapKey(namespace, 'absent', 'ca.crt')).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
  await mount('config/certs/roots/ca.crt', 'certificate');
  await expect(pod.configMapKey(namespace, 'roots', 'tls.crt')).rejects.toMatchObject({ reason: 'KeyNotFound' });
});

it('knows no other registry', async () => {
  expect(await resources().findWanted({ ...registry(), uid: 'later' })).toBeUndefined();
});

it('reads what the operator has admitted: files below volumes of the registry, and more text than a user may write', async () => {
  const auth = { username: 'robot', passwordFile: '/run/secrets/git/token' };
  const include = Array.from({ length: 200 }, (_, index) => `${index}/${'x'.repeat(200)}`);
  const registries = Array.from({ length: 3 }, (_, index) => ({
    name: `s${index}`,
    git: { repository: 'https://git.example.com/a', auth },
    filter: { names: { include } },
  }));
  const text = JSON.stringify({ auth: { mode: 'anonymous' }, registries });
  expect(text.length).toBeGreaterThan(YAML_LIMIT);
  await mount('config/config.yaml', text);
  const wanted = await resources().findWanted(registry());
  expect(wanted?.spec.registries).toMatchObject(registries.map(({ git }) => ({ type: 'git', spec: git })));
});

it('reports the errors of its configuration, and continues with the last valid one', async () => {
  const pod = resources();
  await mount('config/config.yaml', 'auth: { mode: open }');
  const refused = { reason: 'ValidationFailed', message: expect.stringContaining('line 1: auth.mode') };
  await expect(pod.findWanted(registry())).rejects.toMatchObject(refused);
  await expect(pod.findWanted(registry())).rejects.toMatchObject(refused);
  expect(live.spec.displayName).toBe('as mounted');
  await mount('config/config.yaml', config('mended'));
  expect(await displayNameOf(pod)).toBe('mended');
});

it('lists no MCP servers without the right to, and reports who has to grant it', async () => {
  const pod = resources();
  await expect(pod.serverObjects(namespace)).rejects.toMatchObject({
    reason: 'KubernetesRefused',
    destiny: 'retry',
    message: expect.stringMatching(/forbidden.*allow the ServiceAccount of the server to get, list and watch them$/s),
  });
  await grant();
  expect(await pod.serverObjects(namespace)).toEqual([]);
});
