import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { isDeepStrictEqual } from 'node:util';
import { toOperatorBinding } from '#activities/provision/desired/access.js';
import type { NamespaceAccess } from '#activities/provision/desired/access.js';
import { registryWorkflowId } from '#domain/registry-ref.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER } from '#kubernetes/kubernetes-resource-store.js';
import type { RegistryObject as McpRegistry } from '#kubernetes/kubernetes-resource-store.js';
import type { Operator, OperatorOptions } from '#operator/operator.js';
import { adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { Door } from '#temporal/testing/door.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { OPERATOR_ACCESS } from '#support/operator-manifest.js';
import { startOperator } from '#support/running-operator.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { newRegistryState } from '#workflows/state/registry-state.js';

/** An address where nothing listens. */
const NOWHERE = '127.0.0.1:1';

const CHILDREN: readonly (readonly [KindName, string])[] = [
  ['ConfigMap', 'r-registry-server-config'],
  ['ServiceAccount', 'r-registry-api'],
  ['Role', 'r-registry-api'],
  ['RoleBinding', 'r-registry-api'],
  ['Secret', 'r-temporal'],
  ['Deployment', 'r-api'],
  ['Service', 'r-api'],
];

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let transport: HttpTransport;
let temporal: TemporalAccess;
let namespace: string;
const running: (() => Promise<void>)[] = [];

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  transport = new HttpTransport(adminAccess(address));
  temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
});

beforeEach(async () => {
  namespace = await createNamespace(api);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
});

afterAll(async () => {
  await temporal.close();
  await transport.close();
  await api.close();
});

/**
 * Starts an operator with a task queue and a namespace for this test only, so that operators of different tests do not
 * interfere.
 */
async function start(
  options: {
    temporalAddress?: string;
    release?: string;
    temporalPatienceMs?: number;
    namespaces?: readonly string[];
    pace?: OperatorOptions['pace'];
    grants?: NamespaceAccess;
  } = {},
) {
  const {
    namespaces = [namespace],
    temporalAddress = inject('temporalAddress'),
    release = `operator-${namespace}`,
    temporalPatienceMs,
    pace,
    grants,
  } = options;
  const started = await startOperator({
    access: adminAccess(address),
    namespaces,
    temporalAddress,
    release,
    ...(temporalPatienceMs !== undefined && { temporalPatienceMs }),
    ...(pace && { pace }),
    ...(grants && { grants }),
  });
  running.push(started.stop);
  return started;
}

const SOURCE = { configMapRef: { name: 'catalogue', key: 'k' } };

function create(name = 'r', fields: object = {}, inNamespace = namespace): Promise<McpRegistry> {
  const spec = { auth: { mode: 'anonymous' }, registries: [{ name: 's', ...SOURCE }], ...fields };
  const metadata = { name, namespace: inNamespace };
  const { apiVersion } = kinds.MCPRegistry;
  return api.create<McpRegistry>({ apiVersion, kind: 'MCPRegistry', metadata, spec });
}

const registry = (inNamespace = namespace) => api.get<McpRegistry>('MCPRegistry', inNamespace, 'r');

const child = (kind: KindName, name: string) =>
  eventually(() => api.get<KubernetesObject & { data?: Record<string, string> }>(kind, namespace, name));

/** Patches an object like `kubectl label` and `kubectl patch`. */
function mergePatch(kind: KindName, value: object, subresource = ''): Promise<unknown> {
  const { apiVersion, plural } = kinds[kind];
  const root = apiVersion === 'v1' ? '/api' : '/apis';
  return transport.call({
    method: 'PATCH',
    path: `${root}/${apiVersion}/namespaces/${namespace}/${plural}/r-api${subresource}`,
    body: { contentType: 'application/merge-patch+json', value },
    attempt: 'patch',
  });
}

async function provisioned(): Promise<Map<string, string>> {
  const objects = await Promise.all(CHILDREN.map(([kind, name]) => child(kind, name)));
  return new Map(objects.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion!]));
}

async function metricsOf(operator: Operator): Promise<string> {
  return (await fetch(`http://127.0.0.1:${operator.ports.metricsPort}/metrics`)).text();
}

/** Waits until the registry is reported as provisioned and waits only for its pods, which nobody starts here. */
const settled = (inNamespace = namespace) =>
  eventually(async () => {
    const object = await registry(inNamespace);
    const { phase, message } = object?.status?.apiStatus ?? {};
    return phase === 'Deploying' && message?.startsWith('Waiting for a pod') ? object : undefined;
  });

describe('the operator', () => {
  it('creates a server for a registry, sets a finalizer, and reports the state', async () => {
    await start();
    await create();
    await provisioned();
    const object = await settled();
    expect(object.metadata.finalizers).toEqual([FINALIZER]);
    expect(object.status).toMatchObject({ phase: 'Pending', observedGeneration: 1 });
  });

  it('finds existing registries, and those that were deleted while it was not running', async () => {
    const first = await start();
    await create();
    await provisioned();
    await settled();
    await first.stop();
    await api.delete('Service', { namespace, name: 'r-api' });
    await create('s');
    await start();
    await child('Service', 'r-api');
    expect(await child('Service', 's-api')).toBeDefined();
  });

  it('repairs objects that are removed or changed', async () => {
    await start();
    await create();
    await provisioned();
    await settled();
    for (const [kind, name] of CHILDREN) {
      const { metadata } = await child(kind, name);
      await api.delete(kind, { namespace, name });
      await eventually(async () => {
        const found = await api.get(kind, namespace, name);
        return found && found.metadata.uid !== metadata.uid ? found : undefined;
      });
    }
    const wanted = await child('ConfigMap', 'r-registry-server-config');
    const edited = { ...wanted, data: { 'config.yaml': 'edited' } };
    const { name } = wanted.metadata;
    await api.apply({ ...edited, metadata: { name, namespace } }, { fieldManager: 'somebody' });
    await eventually(async () => {
      const found = await child('ConfigMap', name);
      return found.data?.['config.yaml'] === wanted.data?.['config.yaml'] ? found : undefined;
    });
  });

  it.each<[KindName]>([['Deployment'], ['Service']])('repairs the changed labels of a %s', async (kind) => {
    await start();
    await create();
    await provisioned();
    await settled();
    const label = 'app.kubernetes.io/instance';
    for (const value of ['other', null]) {
      const { metadata } = await child(kind, 'r-api');
      await mergePatch(kind, { metadata: { labels: { [label]: value } } });
      await eventually(async () => {
        const { metadata: now } = await child(kind, 'r-api');
        return (now.resourceVersion !== metadata.resourceVersion && now.labels?.[label] === 'r') || undefined;
      });
    }
  });

  it.each<[KindName]>([['Deployment'], ['Service']])('reports at once that a %s is no longer its own', async (kind) => {
    await start();
    await create();
    await provisioned();
    await settled();
    await mergePatch(kind, { metadata: { ownerReferences: null } });
    await eventually(async () => {
      const { phase, message } = (await registry())?.status?.apiStatus ?? {};
      return (phase === 'Error' && message?.includes(`${kind} ${namespace}/r-api exists already`)) || undefined;
    });
    await api.delete(kind, { namespace, name: 'r-api' });
    await settled();
    expect((await child(kind, 'r-api')).metadata.ownerReferences).toMatchObject([{ name: 'r' }]);
  });

  it('ignores changes of the status of a Deployment', async () => {
    const { operator } = await start();
    await create();
    await provisioned();
    await settled();
    const reconciled = async () =>
      /^mcp_operator_reconcile_total\{kind="Deployment",result="success"\} (\d+)$/m.exec(
        await metricsOf(operator),
      )?.[1];
    const before = await reconciled();
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }];
    await mergePatch('Deployment', { status: { conditions } }, '/status');
    await eventually(async () => (await registry())?.status?.apiStatus?.message?.includes('quota') || undefined);
    expect(await reconciled()).toBe(before);
  });

  it('recognizes its pods by the labels of their template, whatever manages them', async () => {
    await start();
    await create('r', { podTemplateSpec: { metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } } });
    await settled();
    const { spec } = (await child('Deployment', 'r-api')) as object as { spec: { template: KubernetesObject } };
    const { metadata } = spec.template;
    // Create a pod here, because an API server alone has no controller that creates the pods of a Deployment.
    await api.create({
      ...spec.template,
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, namespace, name: 'r-api' },
    });
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node is free' }];
    await mergePatch('Pod', { status: { conditions } }, '/status');
    await eventually(
      async () => (await registry())?.status?.apiStatus?.message?.includes('no node is free') || undefined,
    );
  });

  it('changes nothing when a second one runs, or when it restarts', async () => {
    const first = await start();
    await create();
    await provisioned();
    await settled();
    const before = await provisioned();
    const object = await registry();
    const { operator } = await start();
    await eventually(async () => /^mcp_operator_nudges_total [1-9]/m.test(await metricsOf(operator)) || undefined);
    await first.stop();
    await api.patchFinalizers('MCPRegistry', { namespace, name: 'r', uid: object!.metadata.uid! }, { add: FINALIZER });
    expect(await provisioned()).toEqual(before);
    expect(await registry()).toEqual(object);
  });

  it('writes nothing while nothing changes', async () => {
    const { operator } = await start({ pace: { relistMs: [50, 100], sweepMs: 100 } });
    await create();
    await provisioned();
    await settled();
    const figure = async (name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await metricsOf(operator))?.[1]);
    const world = async () => {
      const lists = await Promise.all(
        [...new Set(CHILDREN.map(([kind]) => kind)), 'MCPRegistry' as const, 'Event' as const].map((kind) =>
          api.list(kind, { namespace }),
        ),
      );
      return lists.flatMap(({ items }) =>
        items.map(({ metadata }) => `${metadata.uid} ${metadata.name} ${metadata.resourceVersion}`),
      );
    };
    let before = { objects: await world(), nudges: await figure('mcp_operator_nudges_total') };
    const looked = async (times: number) => {
      const least = (await figure('mcp_operator_sweeps_total')) + times;
      await eventually(async () => (await figure('mcp_operator_sweeps_total')) >= least || undefined);
      return { objects: await world(), nudges: await figure('mcp_operator_nudges_total') };
    };
    // Wait until the effects of the creation have settled. A report may follow five seconds after the previous one.
    await eventually(async () => {
      const now = await looked(60);
      const same = isDeepStrictEqual(now, before);
      before = now;
      return same || undefined;
    });
    expect(await looked(20)).toEqual(before);
  });

  it('restarts a workflow that a user has terminated, and its server is unchanged', async () => {
    await start({ pace: { relistMs: [60_000, 60_000], sweepMs: 200 } });
    const { metadata } = await create();
    const before = await provisioned();
    await settled();
    const temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
    try {
      const id = registryWorkflowId({ namespace, name: 'r', uid: metadata.uid! });
      const { runId } = await temporal.client.workflow.getHandle(id).describe();
      await temporal.client.workflow.getHandle(id, runId).terminate('by hand');
      const next = await eventually(async () => {
        const described = await temporal.client.workflow.getHandle(id).describe();
        return described.runId !== runId && described.status.name === 'RUNNING' ? described : undefined;
      });
      expect(next.runId).not.toBe(runId);
    } finally {
      await temporal.close();
    }
    await settled();
    expect(await provisioned()).toEqual(before);
  });

  it('creates each object once, and reports each registry once, when two run from the beginning', async () => {
    await Promise.all([start(), start()]);
    const names = Array.from({ length: 8 }, (_, index) => `twice-${index}`);
    await Promise.all(names.map((name) => create(name)));
    const labelSelector = 'app.kubernetes.io/managed-by=toolhive-operator';
    for (const [kind, name] of CHILDREN) {
      const wanted = names.map((each) => name.replace(/^r-/, `${each}-`));
      const made = await Promise.all(wanted.map((each) => child(kind, each)));
      expect(made.filter(({ metadata }) => (metadata.generation ?? 1) > 1)).toEqual([]);
      const all = (await api.list(kind, { namespace, labelSelector })).items.map(({ metadata }) => metadata.name);
      expect(all.filter((each) => each.endsWith(name.slice(1))).sort()).toEqual(wanted);
    }
    const counts = await eventually(async () => {
      const { items } = await api.list<KubernetesObject & { count: number; reason: string }>('Event', { namespace });
      const told = items.filter(({ reason }) => reason === 'Created');
      return told.length < names.length ? undefined : told.map(({ count }) => count);
    });
    expect(counts).toEqual(names.map(() => 1));

    await Promise.all(names.map((name) => api.delete('MCPRegistry', { namespace, name })));
    await eventually(async () => (await api.list('MCPRegistry', { namespace })).items.length === 0 || undefined);
  });

  it('releases a registry that is deleted', async () => {
    await start();
    const { metadata } = await create();
    await settled();
    await api.delete('MCPRegistry', { namespace, name: 'r', uid: metadata.uid! });
    await eventually(async () => ((await registry()) ? undefined : true));
  });

  it('releases an invalid registry', async () => {
    await start();
    // A spec that the API server accepts but the operator does not.
    await create('r', { registries: [{ name: 's', ...SOURCE, filter: { names: { include: ['['] } } }] });
    await eventually(async () => ((await registry())?.status?.phase === 'Failed' ? true : undefined));
    await api.delete('MCPRegistry', { namespace, name: 'r' });
    await eventually(async () => ((await registry()) ? undefined : true));
  });

  it('handles only the namespaces that it may watch', async () => {
    const elsewhere = await createNamespace(api);
    await start();
    await create('r', {}, elsewhere);
    await create();
    await settled();
    expect((await api.get('MCPRegistry', elsewhere, 'r'))?.metadata.finalizers).toBeUndefined();
    expect((await api.list('Deployment', { namespace: elsewhere })).items).toEqual([]);
  });

  it('counts its actions, and reports the state of each registry', async () => {
    const metadata = { namespace, name: 'r-api' };
    await api.create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } } as never);
    const { operator } = await start();
    const { metadata: created } = await create();
    const sources = [{ name: 's', attemptCount: 0, lastSyncTime: '2026-01-01T00:00:00Z' }];
    const shown = async (line: string | RegExp) =>
      eventually(async () => {
        const text = await metricsOf(operator);
        return text.split('\n').find((each) => (typeof line === 'string' ? each === line : line.test(each)));
      });
    const labels = `namespace="${namespace}",name="r"`;
    await shown(`mcp_operator_registry_phase{${labels},phase="Failed"} 1`);
    await shown(`mcp_operator_registry_phase{${labels},phase="Ready"} 0`);
    await shown(/^mcp_operator_reconcile_total\{kind="Service",result="error"\} [1-9]/);
    await shown(/^mcp_operator_reconcile_total\{kind="MCPRegistry",result="success"\} [1-9]/);
    for (const kind of ['ConfigMap', 'ServiceAccount', 'Role', 'RoleBinding', 'Secret', 'Deployment']) {
      await shown(
        new RegExp(`^mcp_operator_reconcile_duration_seconds_count\\{kind="${kind}",result="success"\\} [1-9]`),
      );
    }
    // Write the status with another field manager, because no server syncs here.
    await api.applyStatus({
      apiVersion: kinds.MCPRegistry.apiVersion,
      kind: 'MCPRegistry',
      metadata: { namespace, name: 'r', uid: created.uid! },
      status: { ...(await registry())!.status!, syncStatus: { attemptCount: 0, sources } },
    });
    await shown(new RegExp(`^mcp_operator_sync_age_seconds\\{${labels},source="s"\\} [1-9]`));
    await api.delete('MCPRegistry', { namespace, name: 'r' });
    await eventually(async () => ((await metricsOf(operator)).includes(`${labels},phase`) ? undefined : true));
  });

  it('is ready when it has listed the cluster and Temporal responds, and live in any case', async () => {
    const { operator } = await start();
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${operator.ports.healthPort}${path}`)).status;
    await eventually(async () => ((await get('/readyz')) === 200 ? true : undefined));

    const { operator: lonely } = await start({ temporalAddress: NOWHERE });
    const answer = await fetch(`http://127.0.0.1:${lonely.ports.healthPort}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('Temporal is unavailable');
    expect((await fetch(`http://127.0.0.1:${lonely.ports.healthPort}/healthz`)).status).toBe(200);
  });
});

describe('a registry that was deleted while no operator was running', () => {
  const workflow = (object: McpRegistry) =>
    temporal.client.workflow.getHandle(
      registryWorkflowId({ namespace: object.metadata.namespace!, name: 'r', uid: object.metadata.uid! }),
    );

  /** Removes the finalizer by force. */
  async function vanish({ metadata }: McpRegistry): Promise<void> {
    const ref = { namespace: metadata.namespace!, name: 'r', uid: metadata.uid! };
    await api.patchFinalizers('MCPRegistry', ref, { remove: FINALIZER });
    await api.delete('MCPRegistry', ref);
    expect(await api.get('MCPRegistry', ref.namespace, 'r')).toBeUndefined();
  }

  it('ends with its workflow, unless it is in a foreign namespace', async () => {
    const elsewhere = await createNamespace(api);
    const both = await start({ namespaces: [namespace, elsewhere] });
    const here = await create();
    const there = await create('r', {}, elsewhere);
    const running = async (object: McpRegistry) => (await workflow(object).describe()).status.name;
    await settled();
    await settled(elsewhere);
    await both.stop();
    await vanish(here);
    await vanish(there);

    const nudges = async () =>
      (await workflow(there).fetchHistory()).events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
    const before = await nudges();
    const one = await start();
    await workflow(here).result();
    await one.stop();
    expect(await nudges()).toEqual(before);
    expect(await running(there)).toBe('RUNNING');
    const events = await api.list<KubernetesObject & { involvedObject: { uid: string }; reason: string }>('Event', {
      namespace,
    });
    const told = events.items.filter(({ involvedObject }) => involvedObject.uid === here.metadata.uid);
    expect(told.filter(({ reason }) => reason === 'Created')).toHaveLength(1);
    await start({ namespaces: [elsewhere] });
    await workflow(there).result();
  });

  it('is not mistaken for an existing one', async () => {
    const first = await start();
    const object = await create();
    await provisioned();
    await settled();
    await first.stop();
    const { operator } = await start();
    await eventually(async () => (await metricsOf(operator)).includes('mcp_operator_sweeps_total 1') || undefined);
    expect(await metricsOf(operator)).toContain('mcp_operator_orphans_total 0');
    expect((await workflow(object).describe()).status.name).toBe('RUNNING');
  });
});

describe('the events of a registry', () => {
  interface Event extends KubernetesObject {
    readonly type: string;
    readonly reason: string;
    readonly message: string;
    readonly count: number;
  }
  const events = async () => (await api.list<Event>('Event', { namespace })).items;
  const event = (reason: string) => eventually(async () => (await events()).find((each) => each.reason === reason));

  it('report once which parts of its spec have no effect', async () => {
    await start();
    const git = { repository: 'https://git.example/a.git', branch: 'main', commit: 'c'.repeat(40) };
    const spec = {
      auth: { mode: 'anonymous', oauth: { realm: 'x' } },
      enforceServers: true,
      registries: [{ name: 'a', git }],
    };
    await create('r', spec);
    expect(await event('MultipleGitRefs')).toMatchObject({
      type: 'Warning',
      message: `a: git.commit ${git.commit} takes precedence over git.branch main`,
    });
    expect(await event('RefsIgnored')).toMatchObject({ type: 'Warning' });
    expect(await event('EnforceServersIgnored')).toMatchObject({ type: 'Normal' });
    expect((await registry())?.status?.notices).toHaveLength(3);

    await api.apply(
      {
        apiVersion: kinds.MCPRegistry.apiVersion,
        kind: 'MCPRegistry',
        metadata: { namespace, name: 'r' },
        spec: { ...spec, displayName: 'Tools' },
      } as KubernetesObject,
      { fieldManager: 'somebody' },
    );
    await event('Updated');
    const told = (await events()).filter(({ reason }) => reason === 'EnforceServersIgnored');
    expect(told.map(({ count }) => count)).toEqual([1]);
  });

  it('report a name that a foreign object has', async () => {
    const metadata = { namespace, name: 'r-api' };
    await api.create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } } as never);
    await start();
    await create();
    expect(await event('NameCollision')).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining(`Service ${namespace}/r-api exists already`),
    });
  });
});

describe('while Temporal is unavailable', () => {
  it('a deleted registry is released after a while, and its rights are removed', async () => {
    const { metadata } = await create();
    const ref = { namespace, name: 'r', uid: metadata.uid! };
    await api.patchFinalizers('MCPRegistry', ref, { add: FINALIZER });
    await api.apply(toOperatorBinding(ref, OPERATOR_ACCESS));
    await start({ temporalAddress: NOWHERE, temporalPatienceMs: 1_000, grants: OPERATOR_ACCESS });
    await api.delete('MCPRegistry', ref);
    await eventually(async () => ((await registry()) ? undefined : true));
    expect(await api.get('RoleBinding', namespace, 'r-operator')).toBeUndefined();
  });

  it('a provisioned registry is released too, and its workflow ends when Temporal is available again', async () => {
    const [host = '', port] = inject('temporalAddress').split(':');
    await using door = await Door.to({ host, port: Number(port) });
    // Longer than the time between two checks of Temporal, because otherwise it would always count as unavailable.
    await start({ temporalAddress: `127.0.0.1:${door.port}`, temporalPatienceMs: 8_000 });
    const { metadata } = await create();
    const ref = { namespace, name: 'r', uid: metadata.uid! };
    await settled();
    await door.shut();
    await api.delete('MCPRegistry', ref);
    await eventually(async () => ((await registry()) ? undefined : true));
    await door.open();
    await temporal.client.workflow.getHandle(registryWorkflowId(ref)).result();
  });

  it('a deleted registry is released too if Temporal responds but its workflow does not', async () => {
    const { metadata } = await create();
    const ref = { namespace, name: 'r', uid: metadata.uid! };
    const options = { workflowId: registryWorkflowId(ref), taskQueue: `nobody-${namespace}` };
    const stuck = await temporal.client.workflow.start('mcpRegistry', { ...options, args: [newRegistryState(ref)] });
    // A worker that takes a task and never completes it.
    const taskQueue = { name: options.taskQueue };
    await temporal.client.connection.withDeadline(Date.now() + 60_000, () =>
      temporal.client.workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue, identity: 'idle' }),
    );
    await start({ temporalPatienceMs: 8_000 });
    await eventually(async () => ((await registry())?.metadata.finalizers?.includes(FINALIZER) ? true : undefined));
    await api.delete('MCPRegistry', ref);
    await eventually(async () => ((await registry()) ? undefined : true));
    await stuck.terminate();
  });

  it('a workflow whose operator of another release no longer exists is continued by this one', async () => {
    const { metadata } = await create();
    const ref = { namespace, name: 'r', uid: metadata.uid! };
    const options = { workflowId: registryWorkflowId(ref), taskQueue: `gone-${namespace}` };
    await temporal.client.workflow.start('mcpRegistry', { ...options, args: [newRegistryState(ref)] });
    await start({ pace: { relistMs: [60_000, 60_000], sweepMs: 200 } });
    await provisioned();
  });

  it('a new registry gets its finalizer, and is provisioned when Temporal is available again', async () => {
    const lonely = await start({ temporalAddress: NOWHERE, temporalPatienceMs: 100 });
    await create();
    await eventually(async () => ((await registry())?.metadata.finalizers?.includes(FINALIZER) ? true : undefined));
    await lonely.stop();
    await start();
    await provisioned();
  });
});
