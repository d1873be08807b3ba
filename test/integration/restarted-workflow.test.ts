import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { ResourceStore } from '#domain/resource-store.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { configMap, configMapSource, manifestOf, mcpRegistry } from '#support/standalone-process.js';
import { connectTemporal } from '#temporal/connect.js';

const OTHER = fileURLToPath(new URL('../support/other-registry.workflow.ts', import.meta.url));

/** A store in which the resource no longer exists. */
const NOTHING: Partial<ResourceStore> = {
  findRegistry: async () => undefined,
  readStatus: async () => undefined,
  writeStatus: async () => false,
  release: async () => undefined,
};

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describe('the workflow of a registry', () => {
  it('fails if it cannot follow its own history, and is restarted', async () => {
    const temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
    ends.push(() => temporal.close());
    const { connection, client } = temporal;
    const taskQueue = `restarted-workflow-${randomUUID()}`;
    const registry = { namespace: 'default', name: 'lost', uid: randomUUID() };
    const workflows = new RegistryWorkflows(client, taskQueue);
    const handle = client.workflow.getHandle(registryWorkflowId(registry));

    const logger = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: OTHER, logger });
    const other = await Worker.create({ connection, taskQueue, workflowBundle });
    await other.runUntil(async () => {
      await workflows.nudge(registry, { generation: 1 });
      await eventually(async () => {
        const { events } = await handle.fetchHistory();
        return events?.some((event) => event.timerStartedEventAttributes) || undefined;
      });
    });

    const worker = await startRegistryWorker({
      connection,
      namespace: 'default',
      identity: 'test',
      grace: { softMs: 500, hardMs: 2_000 },
      taskQueue,
      world: {
        resources: NOTHING as ResourceStore,
        minSyncIntervalMs: 100,
        unprovision: async () => undefined,
      },
    });
    ends.push(() => worker.stop());
    await workflows.nudge(registry, { generation: 2 });
    await eventually(async () => (await handle.describe()).status.name === 'FAILED' || undefined);

    await workflows.revive(registry);
    await eventually(async () => (await handle.describe()).status.name === 'COMPLETED' || undefined);
    const { runId } = await handle.describe();
    await workflows.revive(registry);
    expect((await handle.describe()).runId).toBe(runId);
  });

  it('continues completely when Temporal has lost it', async () => {
    const sources = [configMapSource('data')];
    const world = await RegistryWorld.start({
      temporalAddress: inject('temporalAddress'),
      manifests: manifestOf(mcpRegistry('team', sources), configMap('data', toolhiveCatalogue(2))),
    });
    ends.push(() => world.stop());
    await world.nthRun('data', 1);
    const { client } = world.temporal;
    const workflowId = registryWorkflowId(world.registry);
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    await client.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
    });
    expect((await world.nthRun('data', 2)).failure).toBeUndefined();
    expect((await client.workflow.getHandle(workflowId).describe()).runId).not.toBe(runId);
  });

  it('continues completely after a user has terminated it', async () => {
    const sources = [configMapSource('data')];
    const world = await RegistryWorld.start({
      temporalAddress: inject('temporalAddress'),
      manifests: manifestOf(mcpRegistry('team', sources), configMap('data', toolhiveCatalogue(2))),
    });
    ends.push(() => world.stop());
    await world.nthRun('data', 1);
    await world.temporal.client.workflow.getHandle(registryWorkflowId(world.registry)).terminate();

    const again = await world.nthRun('data', 2);
    expect(again.failure).toBeUndefined();
    expect(await world.source('data', ({ lastSyncAtMs }) => lastSyncAtMs !== undefined)).toMatchObject({
      serverCount: 2,
    });
    const runs = await world.query('SELECT FROM sync_run');
    expect(runs).toHaveLength(2);
  });
});
