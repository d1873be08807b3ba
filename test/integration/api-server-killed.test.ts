import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER } from '#kubernetes/kubernetes-resource-store.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { POD_HASH_ANNOTATION } from '#kubernetes/to-workload.js';
import type { Deployment } from '#kubernetes/to-workload.js';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { adminAccess, startApiServer } from '#support/api-server.js';
import type { RunningApiServer } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { startOperator } from '#support/running-operator.js';
import { ServerPod } from '#support/server-pod.js';
import { UnreliableProxy } from '#api-server/unreliable-proxy.js';
import { entries, UpstreamRegistry } from '#support/upstream-registry.js';

const COUNT = 5;
const CHILDREN: readonly KindName[] = [
  'ConfigMap',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'Secret',
  'Deployment',
  'Service',
];

let folder: string;
/** An API server of its own, because the tests kill it. The restarted one uses the same etcd, port and certificates. */
let server: RunningApiServer;
let api: HttpKubernetesApi;
let namespace: string;
let ends: AsyncDisposableStack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'api-server-killed-'));
  server = await startApiServer(folder);
  api = new HttpKubernetesApi(adminAccess(server));
  await installCrd(api, await readCrd());
});

beforeEach(async () => {
  ends = new AsyncDisposableStack();
  namespace = await createNamespace(api);
});

afterEach(() => ends.disposeAsync());

afterAll(async () => {
  await api?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function operatorAt(access = adminAccess(server)): Promise<void> {
  const release = `operator-${namespace}`;
  const { stop } = await startOperator({
    access,
    namespaces: [namespace],
    temporalAddress: inject('temporalAddress'),
    release,
  });
  ends.defer(stop);
}

function create(name: string, sources: readonly object[]): Promise<RegistryObject> {
  return api.create<RegistryObject>({
    apiVersion: kinds.MCPRegistry.apiVersion,
    kind: 'MCPRegistry',
    metadata: { name, namespace },
    spec: { auth: { mode: 'anonymous' }, registries: sources },
  } as RegistryObject);
}

/** Kills the API server with `kill -9`. Its supervisor starts the next one. */
function kill(): number {
  const pid = server.pid!;
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Like `eventually`, but also retries after errors, because the API server is unavailable for a while. */
function inTheEnd<T>(ask: () => Promise<T | undefined>): Promise<T> {
  return eventually(() => ask().catch(() => undefined), 200);
}

const statusOf = async (name: string): Promise<RegistryStatus | undefined> =>
  (await api.get<RegistryObject>('MCPRegistry', namespace, name))?.status;

it.each([
  ['the first of its objects is made', /\/configmaps\/r-\d/],
  ['a Deployment is made', /\/deployments\/r-\d/],
  ['a status is written', /\/mcpregistries\/r-\d\/status/],
])('an API server that is killed while %s holds up nothing forever', async (_, path) => {
  await using proxy = await UnreliableProxy.before(adminAccess(server));
  let writes = 0;
  let killed: number | undefined;
  // Kill in the middle: some writes are done, this one is in progress, others are still to come.
  proxy.decide = ({ method, url }) => {
    if (method === 'PATCH' && path.test(url) && ++writes === Math.ceil(COUNT / 2)) killed = kill();
    return 'none';
  };
  await operatorAt(proxy.access);
  const names = Array.from({ length: COUNT }, (__, index) => `r-${index}`);
  // These requests may be refused as well, so they are retried.
  await Promise.all(names.map((name) => inTheEnd(() => createOnce(name))));

  await eventually(() => killed);
  // Wait until the supervisor has recorded the new process: it serves requests before that, but cannot be killed yet.
  await eventually(() => (server.pid !== undefined && server.pid !== killed) || undefined);
  for (const name of names) {
    const status = await inTheEnd(async () => {
      const found = await statusOf(name);
      return found?.apiStatus?.phase === 'Deploying' ? found : undefined;
    });
    expect(status).toMatchObject({ phase: 'Pending', observedGeneration: 1 });
    const object = await api.get('MCPRegistry', namespace, name);
    expect(object?.metadata.finalizers).toEqual([FINALIZER]);
  }
  const labelSelector = 'app.kubernetes.io/managed-by=toolhive-operator';
  for (const kind of CHILDREN) {
    const items = await inTheEnd(async () => {
      const list = await api.list(kind, { namespace, labelSelector });
      return list.items.length < COUNT ? undefined : list.items;
    });
    expect(items.map(ownerOf).sort()).toEqual(names);
  }

  // The operator still watches.
  await api.delete('MCPRegistry', { namespace, name: 'r-0' });
  await inTheEnd(async () => ((await api.get('MCPRegistry', namespace, 'r-0')) ? undefined : true));
});

async function createOnce(name: string): Promise<true> {
  const source = { name: 's', configMapRef: { name: 'catalogue', key: 'k' } };
  if (!(await api.get('MCPRegistry', namespace, name))) await create(name, [source]);
  return true;
}

function ownerOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.ownerReferences?.[0]?.name;
}

it('a sync goes on without the API server, and is reported when there is one again', async () => {
  const upstream = new UpstreamRegistry();
  ends.defer(() => upstream.close());
  upstream.entries = entries(7);
  let answer: (() => void) | undefined;
  const isAnswered = new Promise<void>((resolve) => (answer = resolve));
  const isAsked = new Promise<void>((asked) => {
    upstream.instead = (request, response) => {
      asked();
      void isAnswered.then(() => {
        upstream.instead = undefined;
        upstream.handle(request, response);
      });
      return true;
    };
  });
  const source = { name: 'upstream', api: { endpoint: await upstream.listen(), timeout: '5m' } };
  await operatorAt();
  const { metadata } = await create('r', [source]);
  const deployment = await eventually(() => api.get<Deployment>('Deployment', namespace, 'r-api'));
  const pod = ends.use(
    await ServerPod.create({
      registry: { namespace, name: 'r', uid: metadata.uid! },
      config: JSON.stringify({ auth: { mode: 'anonymous' }, registries: [source] }),
      temporalAddress: inject('temporalAddress'),
    }),
  );
  pod.start({ podHash: deployment.spec!.template!.metadata!.annotations![POD_HASH_ANNOTATION]! });

  await isAsked;
  const killed = kill();
  await eventually(() => (server.pid === killed ? undefined : true));
  answer!();
  // Look for the source by name, because the built-in source is there as well. It cannot be read, because this pod is
  // in no cluster.
  const synced = await inTheEnd(async () => {
    const source = (await statusOf('r'))?.syncStatus?.sources?.find(({ name }) => name === 'upstream');
    return source?.phase === 'Complete' ? source : undefined;
  });
  expect(synced).toMatchObject({ serverCount: 7, lastSyncTime: expect.any(String) });
});
