import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import type { PolicyRule } from '#domain/policy-rule.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { Operator } from '#operator/operator.js';
import { adminAccess, startApiServer } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { tokenOf } from '#api-server/account-token.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { silent } from '#support/quiet-temporal.js';
import { installServerCrds, removeServerCrds } from '#support/server-crds.js';
import { ServerPod } from '#support/server-pod.js';
import type { ShippedProcess } from '#support/shipped-process.js';
import { listServers } from '#support/standalone-process.js';
import { connectTemporal } from '#temporal/connect.js';

/** A separate API server, because the CRDs are installed and removed here, which affects a whole cluster. */
const ends = new AsyncDisposableStack();
let address: ApiServerAddress;
let api: HttpKubernetesApi;
let transport: HttpTransport;
let namespace: string;
let pod: ServerPod;
let server: ShippedProcess;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'discovery-'));
  ends.defer(() => rm(directory, { recursive: true, force: true }));
  const apiServer = await startApiServer(directory);
  ends.defer(() => apiServer.stop());
  address = apiServer;
  api = new HttpKubernetesApi(adminAccess(address));
  ends.defer(() => api.close());
  transport = new HttpTransport(adminAccess(address));
  ends.defer(() => transport.close());
  await installCrd(api, await readCrd());
  namespace = await createNamespace(api);
  await startOperator();
  const registry = await createRegistry('tools', {});
  pod = await startPod(registry);
  server = pod.start();
});

afterAll(() => ends.disposeAsync());

async function startOperator(): Promise<void> {
  const temporal = { address: inject('temporalAddress'), namespace: 'default' };
  const operator = await Operator.start({
    access: adminAccess(address),
    connectTemporal: () => connectTemporal(temporal),
    temporalNamespace: 'default',
    namespaces: [namespace],
    provisioning: {
      settings: { image: 'registry.example.com/server:1', imagePullSecrets: [], temporal, environment: {} },
    },
    minSyncIntervalMs: 10_000,
    identity: `operator-${namespace}`,
    ports: { host: '127.0.0.1', healthPort: 0, metricsPort: 0 },
    logger: silent,
    release: `operator-${namespace}`,
  });
  const stopping = new AbortController();
  const ended = operator.run(stopping.signal);
  ends.defer(async () => {
    stopping.abort();
    await ended;
    await operator.stop();
  });
}

async function createRegistry(name: string, spec: object): Promise<RegistryRef> {
  const { metadata } = await api.create({
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { name, namespace },
    spec: { auth: { mode: 'anonymous' }, ...spec },
  } as KubernetesObject);
  return { namespace, name, uid: metadata.uid! };
}

/**
 * Starts the server of the registry with everything that the kubelet would give to its pod, because there is no
 * kubelet.
 */
async function startPod(registry: RegistryRef): Promise<ServerPod> {
  const config = await configOf(registry.name);
  await eventually(() => api.get('RoleBinding', namespace, `${registry.name}-registry-api`));
  const { hostname, port } = new URL(address.server);
  const started = await ServerPod.create({
    registry,
    config,
    temporalAddress: inject('temporalAddress'),
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  });
  ends.use(started);
  await started.mount('service-account/ca.crt', address.ca);
  await started.mount(
    'service-account/token',
    await tokenOf(address, { namespace, name: `${registry.name}-registry-api` }),
  );
  return started;
}

async function configOf(registry: string): Promise<string> {
  const name = `${registry}-registry-server-config`;
  const configMap = await eventually(() =>
    api.get<KubernetesObject & { data: { 'config.yaml': string } }>('ConfigMap', namespace, name),
  );
  return configMap.data['config.yaml'];
}

const EXPORTED = { 'registry-export': 'true', 'registry-url': 'https://mcp.example.com', 'registry-description': 'x' };

/** Applies an MCP server as its owner would: annotations that are left out are removed. */
async function put(kind: KindName, name: string, said: Record<string, string> = {}, spec: object = {}): Promise<void> {
  const annotations = Object.fromEntries(
    Object.entries(said).map(([key, value]) => [`toolhive.stacklok.dev/${key}`, value]),
  );
  const apiVersion = 'toolhive.stacklok.dev/v1alpha1';
  await api.apply({ apiVersion, kind, metadata: { name, namespace, annotations }, spec } as KubernetesObject, {
    fieldManager: 'somebody',
  });
}

/** Returns what clients see, as `name: description`. */
async function seen(): Promise<string[] | undefined> {
  const servers = await listServers(`${pod.url}/registry/default`);
  return servers?.map(({ name, description }) => `${name.replace(/^.*\//, '')}: ${description}`);
}

function status(wanted: (status: RegistryStatus) => boolean, name = 'tools'): Promise<RegistryStatus> {
  return eventually(async () => {
    const found = (await api.get<RegistryObject>('MCPRegistry', namespace, name))?.status;
    return found?.conditions && wanted(found) ? found : undefined;
  });
}

interface EventObject extends KubernetesObject {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
}

function eventOf(reason: string): Promise<EventObject> {
  return eventually(async () => {
    const { items } = await api.list<EventObject>('Event', { namespace });
    return items.find((event) => event.reason === reason);
  });
}

it('a registry without sources lists the MCP servers of its namespace, and follows them', async () => {
  // While the cluster knows no MCP servers, the registry serves nothing, and that is no fault.
  {
    // The pod starts with a new embedded database, which takes long on a busy machine.
    await expect.poll(seen, { timeout: 200_000 }).toEqual([]);
    const { syncStatus, conditions } = await status(({ syncStatus: sync }) => sync?.phase === 'Complete');
    expect(syncStatus).toMatchObject({ serverCount: 0, sources: [{ name: 'default', phase: 'Complete' }] });
    expect(syncStatus).not.toHaveProperty('message');
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'SyncSuccessful', status: 'True' }));
  }

  // When the cluster knows MCP servers, those that want it are listed. A running pod asks rarely, so it is restarted.
  {
    await installServerCrds(api, 'v1alpha1');
    await server.end();
    server = pod.start();
    await put('MCPServer', 'private');
    await put('MCPServer', 'weather', EXPORTED, { image: 'example/weather:1', transport: 'stdio', proxyMode: 'sse' });
    await expect.poll(seen, { timeout: 200_000 }).toEqual(['weather: x']);
    const name = encodeURIComponent(`com.toolhive.k8s.${namespace}/weather`);
    const answer = await fetch(`${pod.url}/registry/default/v0.1/servers/${name}/versions/latest`);
    expect(await answer.json()).toMatchObject({
      server: { version: '1', remotes: [{ type: 'sse', url: 'https://mcp.example.com' }] },
    });
    const { syncStatus } = await status(({ syncStatus: sync }) => sync?.serverCount === 1);
    expect(syncStatus?.sources).toMatchObject([{ name: 'default', serverCount: 1 }]);
  }

  // Every edit of every kind is followed.
  {
    await put('MCPServer', 'weather', { ...EXPORTED, 'registry-description': 'y' });
    await expect.poll(seen).toEqual(['weather: y']);
    await put('MCPServer', 'private', EXPORTED);
    await expect.poll(seen).toEqual(['private: x', 'weather: y']);
    await put('VirtualMCPServer', 'all', EXPORTED);
    await expect.poll(seen).toEqual(['all: x', 'private: x', 'weather: y']);
    await put('MCPRemoteProxy', 'far', EXPORTED);
    await expect.poll(seen).toEqual(['all: x', 'far: x', 'private: x', 'weather: y']);
    await put('MCPServer', 'private', { ...EXPORTED, 'registry-export': 'false' });
    await expect.poll(seen).toEqual(['all: x', 'far: x', 'weather: y']);
    await api.delete('MCPRemoteProxy', { namespace, name: 'far' });
    await expect.poll(seen).toEqual(['all: x', 'weather: y']);
    expect(await eventOf('VersionAssumed')).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining('toolhive.stacklok.dev/registry-version'),
    });
  }

  // If an object has a fault, its last good state is served, and the fault is named.
  {
    await put('MCPServer', 'weather', { 'registry-export': 'true', 'registry-description': 'z' });
    const held = await status(({ syncStatus: sync }) => sync?.sources[0]?.quarantined === 1);
    expect(held.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DataValid',
        status: 'True',
        reason: 'PartiallyValid',
        message: expect.stringContaining(`com.toolhive.k8s.${namespace}/weather`),
      }),
    );
    await expect.poll(seen).toEqual(['all: x', 'weather: y']);
    await put('MCPServer', 'weather', { ...EXPORTED, 'registry-description': 'z' });
    await expect.poll(seen).toEqual(['all: x', 'weather: z']);
  }

  // If all of them are deleted, none is served: the guard against shrinking does not apply.
  {
    await api.delete('VirtualMCPServer', { namespace, name: 'all' });
    await api.delete('MCPServer', { namespace, name: 'weather' });
    await expect.poll(seen).toEqual([]);
    expect(await status(({ syncStatus: sync }) => sync?.serverCount === 0)).toMatchObject({
      syncStatus: { phase: 'Complete' },
    });
  }

  // They are read in the version that the cluster serves.
  {
    await put('MCPServer', 'weather', EXPORTED);
    await expect.poll(seen).toEqual(['weather: x']);
    await removeServerCrds(api);
    await expect.poll(seen).toEqual([]);
    await installServerCrds(api, 'v1beta1');
    const annotations = Object.fromEntries(
      Object.entries(EXPORTED).map(([key, value]) => [`toolhive.stacklok.dev/${key}`, value]),
    );
    const apiVersion = 'toolhive.stacklok.dev/v1beta1';
    await transport.call({
      method: 'POST',
      path: `/apis/${apiVersion}/namespaces/${namespace}/mcpservers`,
      body: {
        contentType: 'application/json',
        value: { apiVersion, kind: 'MCPServer', metadata: { name: 'newer', annotations } },
      },
      attempt: 'create an MCPServer',
    });
    await expect.poll(seen).toEqual(['newer: x']);
  }
});

it('a source of the spec that is called default takes the place of the built-in one, and an event says so', async () => {
  await createRegistry('own', {
    registries: [{ name: 'default', git: { repository: 'https://git.example.com/a.git' } }],
  });
  expect(await configOf('own')).not.toContain('kubernetes');
  const role = await eventually(() =>
    api.get<KubernetesObject & { rules: PolicyRule[] }>('Role', namespace, 'own-registry-api'),
  );
  expect(role.rules.flatMap(({ resources }) => resources)).toEqual(['configmaps']);
  expect(await eventOf('BuiltInSourceReplaced')).toMatchObject({
    type: 'Normal',
    message: expect.stringContaining('"default"'),
  });
});
