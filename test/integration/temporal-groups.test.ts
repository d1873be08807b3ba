import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { labelSelector } from '#domain/label-selector.js';
import { operatorTaskQueue } from '#temporal/task-queues.js';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { findClusterId } from '#kubernetes/cluster-id.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { OPERATOR_ACCESS } from '#support/operator-manifest.js';
import { startOperator } from '#support/running-operator.js';
import type { RunningOperator } from '#support/running-operator.js';
import { ServerPod } from '#support/server-pod.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import { listServers } from '#support/standalone-process.js';
import type { Attack } from '#support/stranger.workflow.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';

/**
 * Tests two groups of namespaces, each with its own Temporal namespace on a real server, and a namespace without a
 * group.
 */

const GROUPS = ['blue', 'red'] as const;
type Group = (typeof GROUPS)[number];
const STRANGER = fileURLToPath(new URL('../support/stranger.workflow.ts', import.meta.url));
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

const run = randomUUID().slice(0, 8);
const temporalNamespaceOf = (group: Group | undefined) => (group ? `${group}-${run}` : 'default');

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let ends: AsyncDisposableStack;
const temporal = new Map<string, TemporalAccess>();

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  const server = await connect('default');
  for (const group of GROUPS) {
    const namespace = temporalNamespaceOf(group);
    const { workflowService } = server.client;
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
    // Temporal's frontends know a new namespace only a moment later.
    await eventually(() => workflowService.listOpenWorkflowExecutions({ namespace }).then(Boolean, () => undefined));
    await connect(namespace);
  }
});

beforeEach(() => {
  ends = new AsyncDisposableStack();
});

afterEach(() => ends.disposeAsync());

afterAll(async () => {
  for (const access of temporal.values()) await access.close();
  await api.close();
});

async function connect(namespace: string): Promise<TemporalAccess> {
  const access = await connectTemporal({ address: inject('temporalAddress'), namespace });
  temporal.set(namespace, access);
  return access;
}

const clientOf = (group: Group | undefined) => temporal.get(temporalNamespaceOf(group))!.client;

/** Creates a Kubernetes namespace that belongs to the given groups. */
async function namespaceOf(...groups: readonly Group[]): Promise<string> {
  const name = await createNamespace(api);
  await label(name, groups);
  return name;
}

async function label(name: string, groups: readonly Group[]): Promise<void> {
  const labels = Object.fromEntries(groups.map((group) => [`example.com/${group}`, run]));
  await api.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
    { fieldManager: 'administrator' },
  );
}

async function start(
  namespaces: readonly string[],
  { release = randomUUID(), ...more }: { release?: string; temporalPatienceMs?: number } = {},
): Promise<RunningOperator> {
  const operator = await startOperator({
    access: adminAccess(address),
    namespaces,
    temporalAddress: inject('temporalAddress'),
    release,
    ...more,
    grants: OPERATOR_ACCESS,
    settings: { discovery: false },
    pace: { relistMs: [60_000, 60_000], sweepMs: 500 },
    groups: GROUPS.map((name) => ({
      name,
      namespaceSelector: labelSelector.parse({ matchLabels: { [`example.com/${name}`]: run } }),
      temporalNamespace: temporalNamespaceOf(name),
    })),
  });
  ends.defer(() => operator.stop());
  return operator;
}

async function createRegistry(namespace: string): Promise<RegistryRef> {
  await api.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'catalogue', namespace },
    data: { k: toolhiveCatalogue(3) },
  } as KubernetesObject);
  const { metadata } = await api.create<RegistryObject>({
    apiVersion: kinds.MCPRegistry.apiVersion,
    kind: 'MCPRegistry',
    metadata: { name: 'r', namespace },
    spec: { auth: { mode: 'anonymous' }, registries: [{ name: 's', configMapRef: { name: 'catalogue', key: 'k' } }] },
  });
  return { namespace, name: 'r', uid: metadata.uid! };
}

/** Waits until the Secret of the registry selects the Temporal namespace of this group. */
const opens = ({ namespace }: RegistryRef, group: Group | undefined) =>
  eventually(async () => {
    const secret = await api.get<KubernetesObject & { data?: Record<string, string> }>(
      'Secret',
      namespace,
      'r-temporal',
    );
    const opened = Buffer.from(secret?.data?.['namespace'] ?? '', 'base64').toString();
    return opened === temporalNamespaceOf(group) || undefined;
  });

/** Returns the status of the registry's workflow in the Temporal namespace of a group; undefined if there is none. */
async function workflowIn(group: Group | undefined, registry: RegistryRef): Promise<string | undefined> {
  const handle = clientOf(group).workflow.getHandle(registryWorkflowId(registry));
  return handle.describe().then(
    ({ status }) => status.name,
    () => undefined,
  );
}

const runsIn = (group: Group | undefined, registry: RegistryRef) =>
  eventually(async () => (await workflowIn(group, registry)) === 'RUNNING' || undefined);

const deployed = ({ namespace }: RegistryRef) =>
  eventually(async () => {
    const object = await api.get<RegistryObject>('MCPRegistry', namespace, 'r');
    // Only the pods are missing, because nobody starts them here.
    const { phase, message } = object?.status?.apiStatus ?? {};
    return phase === 'Deploying' && message?.startsWith('Waiting for a pod') ? object : undefined;
  });

/**
 * Creates the pod of a registry, with the objects that the operator has created for it. `renew` updates the mounted
 * files, as the kubelet does after a while.
 */
async function podOf(registry: RegistryRef): Promise<{ pod: ServerPod; renew: () => Promise<void> }> {
  const data = async (kind: KindName, name: string) => {
    const object = await api.get<KubernetesObject & { data?: Record<string, string> }>(kind, registry.namespace, name);
    return Object.entries(object?.data ?? {});
  };
  const pod = ends.use(await ServerPod.create({ registry, config: '', temporalAddress: inject('temporalAddress') }));
  const renew = async () => {
    for (const [key, text] of await data('ConfigMap', 'r-registry-server-config'))
      await pod.mount(`config/${key}`, text);
    for (const [key, text] of await data('Secret', 'r-temporal')) {
      await pod.mount(`temporal/${key}`, Buffer.from(text, 'base64').toString());
    }
  };
  await renew();
  await pod.mount('config/registry/s/registry.json', toolhiveCatalogue(3));
  return { pod, renew };
}

/** Returns the number of syncs of a registry in the Temporal namespace of a group. */
async function syncsIn(group: Group | undefined, registry: RegistryRef): Promise<number> {
  const query = `WorkflowType = 'syncSource' AND WorkflowId STARTS_WITH '${registryWorkflowId(registry)}/sync/'`;
  let found = 0;
  for await (const _sync of clientOf(group).workflow.list({ query })) found++;
  return found;
}

const synced = (group: Group | undefined, registry: RegistryRef) =>
  eventually(async () => (await syncsIn(group, registry)) > 0 || undefined);

const served = (pod: ServerPod) =>
  eventually(async () => ((await listServers(`${pod.url}/registry/s`))?.length === 3 ? true : undefined));

describe('registries of two groups of namespaces', () => {
  it('are provisioned and synced, each in the Temporal namespace of its group', async () => {
    const members = [
      [await namespaceOf('blue'), 'blue'],
      [await namespaceOf('red'), 'red'],
      [await namespaceOf(), undefined],
    ] as const;
    await start(members.map(([namespace]) => namespace));
    const check = async ([namespace, group]: (typeof members)[number]) => {
      const registry = await createRegistry(namespace);
      await deployed(registry);
      await opens(registry, group);
      const { pod } = await podOf(registry);
      pod.start({ podName: `pod-${namespace}` });
      await served(pod);
      await synced(group, registry);
      for (const other of [...GROUPS, undefined]) {
        expect(await workflowIn(other, registry)).toBe(other === group ? 'RUNNING' : undefined);
        if (other !== group) expect(await syncsIn(other, registry)).toBe(0);
      }
    };
    await Promise.all(members.map(check));
  });

  it('move with their namespace: the old workflow ends, the new one syncs, and the server is kept', async () => {
    const namespace = await namespaceOf('blue');
    await start([namespace]);
    const registry = await createRegistry(namespace);
    const { metadata } = await deployed(registry);
    const { pod, renew } = await podOf(registry);
    const server = pod.start();
    await served(pod);
    await synced('blue', registry);

    await label(namespace, ['red']);
    await Promise.all([runsIn('red', registry), opens(registry, 'red')]);
    await eventually(async () => (await workflowIn('blue', registry)) === 'COMPLETED' || undefined);
    await renew();
    await synced('red', registry);
    expect(await listServers(`${pod.url}/registry/s`)).toHaveLength(3);
    await server.end();

    await label(namespace, []);
    await Promise.all([runsIn(undefined, registry), opens(registry, undefined)]);
    await eventually(async () => (await workflowIn('red', registry)) === 'COMPLETED' || undefined);
    expect((await api.get('MCPRegistry', namespace, 'r'))?.metadata).toMatchObject({
      uid: metadata.uid,
      finalizers: metadata.finalizers,
    });
  });

  it('also move when their namespace was labelled while no operator was running', async () => {
    const namespace = await namespaceOf('blue');
    const release = randomUUID();
    const first = await start([namespace], { release });
    const registry = await createRegistry(namespace);
    await deployed(registry);
    await first.stop();
    await label(namespace, ['red']);
    await start([namespace], { release });
    await Promise.all([runsIn('red', registry), opens(registry, 'red')]);
    await eventually(async () => (await workflowIn('blue', registry)) === 'COMPLETED' || undefined);
  });

  it('wait while two groups select their namespace, and report which', async () => {
    const namespace = await namespaceOf(...GROUPS);
    const { operator } = await start([namespace]);
    const registry = await createRegistry(namespace);
    const message = `namespace ${namespace} belongs to 2 Temporal groups, blue and red`;
    await eventually(async () => {
      const { items } = await api.list<KubernetesObject & { message: string }>('Event', { namespace });
      return items.some((event) => event.message.includes(message)) || undefined;
    });
    const readiness = await fetch(`http://127.0.0.1:${operator.ports.healthPort}/readyz`);
    expect(await readiness.text()).toContain(message);
    for (const group of [...GROUPS, undefined]) expect(await workflowIn(group, registry)).toBeUndefined();
    expect(await api.get('Secret', namespace, 'r-temporal')).toBeUndefined();

    await label(namespace, ['red']);
    await Promise.all([deployed(registry), opens(registry, 'red')]);
    expect(await workflowIn('blue', registry)).toBeUndefined();
  });

  it('are deleted when two groups select their namespace', async () => {
    const namespace = await namespaceOf('blue');
    await start([namespace], { temporalPatienceMs: 1_000 });
    const registry = await createRegistry(namespace);
    await deployed(registry);
    await label(namespace, GROUPS);
    await api.delete('MCPRegistry', { namespace, name: 'r' });
    await eventually(async () => ((await api.get('MCPRegistry', namespace, 'r')) ? undefined : true));
    await label(namespace, ['blue']);
    await eventually(async () => (await workflowIn('blue', registry)) === 'COMPLETED' || undefined);
  });
});

describe('a client of the Temporal namespace of one group', () => {
  it('reaches neither the workflows nor the registries of another', async () => {
    const namespace = await namespaceOf('red');
    const release = randomUUID();
    await start([namespace], { release });
    const victim = await createRegistry(namespace);
    await deployed(victim);
    const { workflow } = clientOf('blue');
    await expect(workflow.getHandle(registryWorkflowId(victim)).terminate()).rejects.toThrow('not found');

    const before = await everythingIn(namespace);
    const cluster = await findClusterId(api, adminAccess(address));
    const attack = await startStranger(operatorTaskQueue({ cluster, release }), victim);
    const facts = {
      generation: 1,
      deleting: false,
      serving: true,
      sources: [{ name: 's', attemptCount: 0, serverCount: 4711 }],
    };
    expect(await attack('readDesiredState', [victim])).toBe('');
    expect(await attack('reportStatus', [victim, facts])).toBe('');
    expect(await attack('tearDown', [victim])).toBe('');
    expect(await attack('findContenders', [victim])).toBe('');
    expect(await attack('ensureServer', [victim])).toContain('is gone');
    expect(await everythingIn(namespace)).toEqual(before);
    expect(await workflowIn('red', victim)).toBe('RUNNING');
  });

  /**
   * Returns a function that runs a workflow with the victim's workflow id in the Temporal namespace of another group.
   */
  async function startStranger(taskQueue: string, victim: RegistryRef) {
    const namespace = temporalNamespaceOf('blue');
    const { client, connection } = temporal.get(namespace)!;
    const ownQueue = `stranger-${randomUUID()}`;
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: STRANGER, logger: quiet });
    const worker = await Worker.create({ connection, namespace, taskQueue: ownQueue, workflowBundle });
    const working = worker.run();
    ends.defer(async () => {
      worker.shutdown();
      await working;
    });
    return (activity: string, payload: readonly unknown[]): Promise<string> =>
      client.workflow.execute<(attack: Attack) => Promise<string>>('stranger', {
        workflowId: registryWorkflowId(victim),
        taskQueue: ownQueue,
        args: [{ taskQueue, activity, payload }],
      });
  }

  async function everythingIn(namespace: string): Promise<readonly string[]> {
    const listed: readonly KindName[] = ['ConfigMap', 'Secret', 'Deployment', 'Service', 'RoleBinding', 'Role'];
    const lists = await Promise.all(listed.map((kind) => api.list(kind, { namespace })));
    const made = lists.flatMap(({ items }, index) =>
      items.map(({ metadata: { name, resourceVersion } }) => `${listed[index]} ${name} ${resourceVersion}`),
    );
    const { metadata, status } = (await api.get<RegistryObject>('MCPRegistry', namespace, 'r'))!;
    return [...made, ...(metadata.finalizers ?? []), status?.phase ?? '', JSON.stringify(status?.syncStatus)];
  }
});
