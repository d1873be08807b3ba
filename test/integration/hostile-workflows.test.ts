import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { registryWorkflowId, syncWorkflowId } from '#domain/registry-ref.js';
import type { ResourceStore } from '#domain/resource-store.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { eventually } from '#support/eventually.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { newRegistryState } from '#workflows/state/registry-state.js';

/** Nearly as much as Temporal allows; once parsed, it takes about 40 MiB. */
const JUNK = Array.from({ length: 620_000 }, () => []);
const taskQueue = `hostile-workflows-${randomUUID()}`;

const EXISTING = { namespace: 'default', name: 'existing', uid: randomUUID() };

/** Resources with exactly one registry. */
const resources: Partial<ResourceStore> = {
  findRegistry: async (ref) =>
    ref.uid === EXISTING.uid
      ? {
          ref,
          generation: 1,
          deleting: false,
          triggerToken: undefined,
          spec: { auth: { mode: 'anonymous' }, registries: [] },
        }
      : undefined,
  referenceVersion: async () => undefined,
  readStatus: async () => undefined,
  writeStatus: async () => true,
  release: async () => undefined,
};

let temporal: TemporalAccess;
let worker: RunningWorker;

beforeAll(async () => {
  temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
  worker = await startRegistryWorker({
    connection: temporal.connection,
    namespace: 'default',
    identity: 'test',
    grace: { softMs: 500, hardMs: 2_000 },
    taskQueue,
    world: { resources: resources as ResourceStore, minSyncIntervalMs: 100, unprovision: async () => undefined },
  });
});

afterAll(async () => {
  await worker?.stop();
  await temporal?.close();
});

const stranger = () => ({ namespace: 'default', name: 'foreign', uid: randomUUID() });

const start = (workflowId: string, state: unknown, type = 'mcpRegistry', memo = {}) =>
  temporal.client.workflow.start(type, { taskQueue, workflowId, args: [state], memo });

const statusOf = async (workflowId: string) =>
  (await temporal.client.workflow.getHandle(workflowId).describe()).status.name;

const ended = (workflowId: string) =>
  eventually(async () => {
    const status = await statusOf(workflowId);
    return status === 'RUNNING' ? undefined : status;
  });

it('that begin with more than a state may have cost the worker no memory, and fail', async () => {
  const before = process.memoryUsage.rss();
  for (let each = 0; each < 25; each++) {
    const registry = stranger();
    const id = registryWorkflowId(registry);
    await start(id, { ...newRegistryState(registry), stale: false, junk: JUNK });
    expect(await ended(id)).toBe('FAILED');
  }
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(300);
});

it('that begin with what is no state of their registry fail at once', async () => {
  const registry = stranger();
  const id = registryWorkflowId(registry);
  const state = newRegistryState(registry);
  const malformed: unknown[] = [null, 'state', {}, { ...state, stores: [] }, { ...state, registry: stranger() }];
  for (const given of malformed) {
    await start(id, given);
    expect(await ended(id)).toBe('FAILED');
  }
  await start(id, state, 'mcpRegistry', { other: 'x' });
  expect(await ended(id)).toBe('FAILED');
  const sync = syncWorkflowId(registry, 'servers', 1);
  await start(sync, { registry, source: 'servers', junk: JUNK.slice(0, 1_000) }, 'syncSource');
  expect(await ended(sync)).toBe('FAILED');
});

it('of registries that do not exist end, whatever they say to know', async () => {
  const registry = stranger();
  const id = registryWorkflowId(registry);
  const desired = { generation: 1, deleting: false, sources: [] };
  await start(id, { ...newRegistryState(registry), stale: false, desired });
  expect(await ended(id)).toBe('COMPLETED');
});

it('take nothing in of messages but what these are to have, and no more stores than they need', async () => {
  const id = registryWorkflowId(EXISTING);
  await start(id, { ...newRegistryState(EXISTING), junk: 'kept' });
  const handle = temporal.client.workflow.getHandle(id);
  await handle.signal('storeOpened', { id: 'large', taskQueue: 'q', junk: JUNK });
  for (let each = 0; each < 40; each++) {
    await handle.signal('storeOpened', { id: `s${each}`, taskQueue: `q${each}`, junk: 'kept' });
  }
  const workflows = new RegistryWorkflows(temporal.client, taskQueue);
  const stores = await eventually(async () => {
    const live = await workflows.liveStores(EXISTING);
    return live.some((store) => store.id === 's39') ? live : undefined;
  });
  expect(stores).toHaveLength(32);
  expect(JSON.stringify(stores)).not.toMatch(/junk|large/);
  expect(await statusOf(id)).toBe('RUNNING');
  await handle.terminate();
});
