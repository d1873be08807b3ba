import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { syncWorkflowId } from '#domain/registry-ref.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { bundleWorkflows } from '#temporal/workflow-bundle.js';
import { isNotFound } from '#workflows/sync-runs.js';

const LOOKING = fileURLToPath(new URL('../support/looking.workflow.ts', import.meta.url));
const registry = { namespace: 'default', name: 'looked-at', uid: randomUUID() };
const taskQueue = `sync-runs-${randomUUID()}`;

let temporal: TemporalAccess;
let worker: Worker;
let working: Promise<void>;

beforeAll(async () => {
  temporal = await connectTemporal({ address: inject('temporalAddress'), namespace: 'default' });
  const workflowBundle = await bundleWorkflows(LOOKING);
  worker = await Worker.create({ connection: temporal.connection, taskQueue, workflowBundle });
  working = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await working;
  await temporal?.close();
});

const look = (run: number) =>
  temporal.client.workflow.execute('looking', {
    taskQueue,
    workflowId: `looking-${randomUUID()}`,
    args: [registry, { source: 'servers', run }],
  });

/** Starts a run on a task queue without workers, so that the run stays open. */
const startRun = (run: number) =>
  temporal.client.workflow.start('syncSource', {
    taskQueue: `nobody-${taskQueue}`,
    workflowId: syncWorkflowId(registry, 'servers', run),
    args: [],
  });

describe('a run of a sync', () => {
  it('is open while it runs, and can be cancelled', async () => {
    const run = await startRun(1);
    expect(await look(1)).toEqual({ isOpen: true, isCancelled: true });
    await run.terminate();
  });

  it('has ended when it was terminated, or if it never existed', async () => {
    const run = await startRun(2);
    await run.terminate();
    expect(await look(2)).toEqual({ isOpen: false, isCancelled: true });
    expect(await look(3)).toEqual({ isOpen: false, isCancelled: true });
  });

  it.each([
    'Unable to signal external workflow because The per-workflow signal limit was exceeded',
    'Unable to signal external workflow because unknown',
    'Signal was cancelled before being sent',
    'the file of the workflow was not found',
  ])('does not count as ended after %j', (message) => {
    expect(isNotFound(new Error(message))).toBe(false);
  });
});
