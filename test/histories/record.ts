import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { projectRoot } from '#environment/project-root.js';
import { registryWorkflowId, syncWorkflowId } from '#domain/registry-ref.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import { ProvisioningWorld } from '#support/provisioning-world.js';
import { RegistryWorld } from '#support/registry-world.js';

const ROOT = fileURLToPath(projectRoot);

/**
 * `npm run record:histories`: writes the histories that replay.test.ts replays. Run it after a workflow change has been
 * patched in.
 */
it('records the life of a registry, one run of it ended by continue-as-new with a sync in flight', async () => {
  await using repository = await createGitRepository();
  await repository.commit({ 'registry.json': toolhiveCatalogue(3) });
  const world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: recorded}
spec:
  auth: {mode: anonymous}
  registries:
    - name: often
      git: {repository: https://git.example/catalogue.git}
      syncPolicy: {interval: 100ms}
    - name: fails
      configMapRef: {name: nowhere, key: registry.json}
      syncPolicy: {interval: 1s}
`,
    settings: { urlRewrites: [{ from: 'https://git.example/catalogue.git', to: repository.url }] },
  });
  const { client } = world.temporal;
  const { registry } = world;
  const id = registryWorkflowId(registry);
  const first = await eventually(() => client.workflow.getHandle(id).describe().catch(() => undefined));
  const ended = await eventually(async () => {
    const described = await client.workflow.getHandle(id, first.runId).describe();
    return described.status.name === 'CONTINUED_AS_NEW' ? described : undefined;
  });
  await world.workflows.syncNow(world.registry, 'often');
  await world.edit('');
  await client.workflow.getHandle(id).result();

  save('registry-continued', id, ended.runId);
  save('registry-deleted', id);
  save('sync-succeeded', syncWorkflowId(registry, 'often', 1));
  save('sync-failed', syncWorkflowId(registry, 'fails', 2));
  expect(await inFlightAtTheEnd(id, ended.runId)).toBe(true);
  await world.stop();

  /** Returns whether a sync is in flight in the state that was passed to the next run. */
  async function inFlightAtTheEnd(workflowId: string, runId: string): Promise<boolean> {
    const { events = [] } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const payload = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.input?.payloads?.[0];
    return Buffer.from(payload?.data ?? '').toString('utf8').includes('"running":');
  }
});

it('records the life of a server: refused, provisioned, watched, repaired and gone with its registry', async () => {
  const world = await ProvisioningWorld.start(inject('temporalAddress'));
  const { api, namespace, workflows } = world;
  await world.write('v1', 'Service', 'tools-api', { spec: { ports: [{ port: 80 }] } });
  const registry = await world.apply({});
  await world.status(registry, ({ phase }) => phase === 'Failed');
  await api.delete('Service', { namespace, name: 'tools-api' });
  await world.status(registry, ({ apiStatus }) => apiStatus?.phase === 'Deploying');
  await workflows.workloadChanged(registry, { readyReplicas: 0, live: false, trouble: 'exceeded quota' });
  await workflows.delayStore(registry, { pod: 'tools-api-1', reason: 'DatabaseUnreachable', message: 'no answer' });
  await api.delete('ConfigMap', { namespace, name: 'tools-registry-server-config' });
  await workflows.nudge(registry, { generation: 1, drift: true });
  await eventually(() => api.get('ConfigMap', namespace, 'tools-registry-server-config'));
  await world.apply({ podTemplateSpec: { spec: { containers: 'none' } } });
  await world.status(registry, ({ phase }) => phase === 'Failed');
  await api.delete('MCPRegistry', { namespace, name: 'tools' });
  await workflows.nudge(registry, { generation: 3 });
  const id = registryWorkflowId(registry);
  await world.temporal.client.workflow.getHandle(id).result();
  const first = await firstRun(id);
  save('registry-provisioned', id, first);
  await world.stop();

  async function firstRun(workflowId: string): Promise<string> {
    const described = await world.temporal.client.workflow.getHandle(workflowId).describe();
    return described.raw.workflowExecutionInfo?.firstRunId ?? described.runId;
  }
});

/** Saves a history with Temporal's own command, because its SDKs replay that JSON format. */
function save(name: string, workflowId: string, runId?: string): void {
  const run = runId === undefined ? [] : ['--run-id', runId];
  const where = ['--address', inject('temporalAddress'), '--workflow-id', workflowId, ...run];
  const history = execFileSync(inject('temporalBinary'), ['workflow', 'show', ...where, '--output', 'json'], {
    encoding: 'utf8',
  });
  // Remove the path of this checkout, which appears in stack traces.
  writeFileSync(`${import.meta.dirname}/${name}.json`, history.replaceAll(ROOT, ''));
}
