import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { RegistryError } from '#domain/registry-error.js';
import type { ResourceStore } from '#domain/resource-store.js';
import { registryWorkflowId } from '#domain/registry-ref.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { eventually } from '#support/eventually.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';

const registry = { namespace: 'test', name: 'refused', uid: randomUUID() };
const forbidden = () => new RegistryError('KubernetesRefused', 'forbidden: the right was revoked', 'wait');

/** A store with one resource. It refuses the operations that are selected here. */
const refusing = { read: true, release: true };
let isDeleting = false;
const calls = { read: 0, release: 0 };
const resources: ResourceStore = {
  async findRegistry() {
    calls.read++;
    if (refusing.read) throw forbidden();
    return { ref: registry, generation: 1, deleting: isDeleting, triggerToken: undefined, spec: {} };
  },
  async release() {
    calls.release++;
    if (refusing.release) throw forbidden();
  },
  secretKey: () => Promise.reject(forbidden()),
  referenceVersion: () => Promise.resolve(undefined),
  readStatus: () => Promise.resolve(undefined),
  writeStatus: () => Promise.resolve(true),
};

let temporal: TemporalAccess;
let worker: RunningWorker;
let workflows: RegistryWorkflows;

beforeAll(async () => {
  const taskQueue = `refusals-${registry.uid}`;
  temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
  workflows = new RegistryWorkflows(temporal.client, taskQueue);
  worker = await startRegistryWorker({
    connection: temporal.connection,
    namespace: 'default',
    identity: 'refusals',
    grace: { softMs: 500, hardMs: 2_000 },
    taskQueue,
    world: { resources, minSyncIntervalMs: 1_000, unprovision: () => Promise.resolve() },
  });
});

afterAll(async () => {
  await worker?.stop();
  await temporal?.close();
});

it('stop neither a registry nor its deletion: both continue when they end', async () => {
  await workflows.nudge(registry, { generation: 1 });
  await eventually(() => calls.read > 0 || undefined);
  refusing.read = false;
  await workflows.nudge(registry, { generation: 1 });
  const facts = () => workflows.findFacts(registry).catch(() => undefined);
  expect(await eventually(async () => (await facts())?.generation || undefined)).toBe(1);

  isDeleting = true;
  await workflows.nudge(registry, { generation: 1 });
  await eventually(() => calls.release > 0 || undefined);
  expect(await workflows.isServed(registry)).toBe(true);
  refusing.release = false;
  await temporal.client.workflow.getHandle(registryWorkflowId(registry)).result();
  expect(calls.release).toBe(2);
});
