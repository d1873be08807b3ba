import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { Deployment } from '#kubernetes/to-workload.js';
import { POD_HASH_ANNOTATION } from '#kubernetes/to-workload.js';
import { eventually } from '#support/eventually.js';
import { ProvisioningWorld, verdicts } from '#support/provisioning-world.js';

let world: ProvisioningWorld;

beforeAll(async () => {
  world = await ProvisioningWorld.start(inject('temporalAddress'));
});

afterAll(() => world.stop());

it('reports what prevents a server, continues when that is fixed, and ends with its resource', async () => {
  const { api, namespace, workflows } = world;
  await world.write('v1', 'Service', 'tools-api', { spec: { ports: [{ port: 80 }] } });
  const registry = await world.apply({});

  const refused = await world.written(registry, ({ phase }) => phase === 'Failed');
  expect(refused).toMatchObject({
    message: expect.stringContaining(`Service ${namespace}/tools-api exists already`),
    apiStatus: { phase: 'Error' },
  });
  expect(verdicts(refused)).toMatchObject({ APIReady: 'False ServiceFailed', Ready: 'False ServiceFailed' });

  await api.delete('Service', { namespace, name: 'tools-api' });
  const deploying = await world.status(registry, ({ apiStatus }) => apiStatus?.phase === 'Deploying');
  expect(deploying).toMatchObject({ phase: 'Pending', url: `http://tools-api.${namespace}:8080`, readyReplicas: 0 });

  const quota = { readyReplicas: 0, live: false, trouble: 'FailedCreate: exceeded quota: small' };
  await workflows.workloadChanged(registry, quota);
  const held = await world.status(registry, ({ message }) => message.includes('quota'));
  expect(verdicts(held)).toMatchObject({ APIReady: 'False APINotReady', Ready: 'False NotReady' });

  await workflows.workloadChanged(registry, { readyReplicas: 0, live: false, awaited: 'tools-api-1' });
  const message = 'the database does not answer';
  await workflows.delayStore(registry, { pod: 'tools-api-1', reason: 'DatabaseUnreachable', message });
  const delayed = await world.status(registry, (status) => status.message.includes(message));
  expect(delayed.message).toBe(`Waiting for pod tools-api-1: ${message}`);
  expect(verdicts(delayed)).toMatchObject({ APIReady: 'False DatabaseUnreachable' });

  await world.apply({ podTemplateSpec: { spec: { containers: 'none' } } });
  const invalid = await world.status(registry, ({ phase }) => phase === 'Failed');
  expect(verdicts(invalid)).toMatchObject({ PodTemplateValid: 'False InvalidPodTemplateSpec' });
  await world.apply({ podTemplateSpec: { spec: { nodeSelector: { disk: 'fast' } } } });
  const valid = await world.status(registry, ({ phase }) => phase === 'Pending');
  expect(verdicts(valid)).toMatchObject({ PodTemplateValid: 'True ValidPodTemplateSpec' });

  const deployment = await api.get<Deployment>('Deployment', namespace, 'tools-api');
  const podHash = deployment!.spec!.template!.metadata!.annotations![POD_HASH_ANNOTATION]!;
  await workflows.workloadChanged(registry, { podHash: 'of an earlier pod', readyReplicas: 1, live: true });
  const older = await world.status(registry, ({ readyReplicas }) => readyReplicas === 1);
  expect(verdicts(older)['APIReady']).toMatch(/^False/);
  await workflows.workloadChanged(registry, { podHash, readyReplicas: 1, live: true });
  const answers = await world.status(registry, ({ apiStatus }) => apiStatus?.phase === 'Ready');
  expect(answers.apiStatus).toMatchObject({ endpoint: answers.url, readySince: expect.any(String) });
  expect(verdicts(answers)).toMatchObject({ APIReady: 'True APIReady', Ready: 'False NotReady' });

  await api.delete('ConfigMap', { namespace, name: 'tools-registry-server-config' });
  await workflows.nudge(registry, { generation: 3, drift: true });
  await expect.poll(() => api.get('ConfigMap', namespace, 'tools-registry-server-config')).toBeDefined();

  const { events = [] } = await world.temporal.client.workflow.getHandle(registryWorkflowId(registry)).fetchHistory();
  const timeouts = events!.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name === 'ensureServer' ? [Number(scheduled.heartbeatTimeout?.seconds)] : [],
  );
  expect(new Set(timeouts)).toEqual(new Set([15]));

  await api.delete('MCPRegistry', { namespace, name: 'tools' });
  await workflows.nudge(registry, { generation: 4 });
  await world.temporal.client.workflow.getHandle(registryWorkflowId(registry)).result();
  expect(await api.get('MCPRegistry', namespace, 'tools')).toBeUndefined();
});

it('repairs contested fields with backoff, and reports the other manager', async () => {
  const fought = await ProvisioningWorld.start(inject('temporalAddress'));
  const { api, namespace, workflows } = fought;
  const registry = await fought.apply({});
  await fought.status(registry, ({ apiStatus }) => apiStatus?.phase === 'Deploying');
  const label = 'app.kubernetes.io/instance';
  let repairs = 0;
  const fighter = async (): Promise<void> => {
    const service = await api.get('Service', namespace, 'tools-api');
    if (service?.metadata.labels?.[label] !== 'tools') return;
    repairs += 1;
    const metadata = { namespace, name: 'tools-api', labels: { [label]: 'fought' } };
    await api.apply({ apiVersion: 'v1', kind: 'Service', metadata }, { fieldManager: 'fighter' });
    await workflows.nudge(registry, { generation: 1, drift: true });
  };
  const startedAtMs = Date.now();
  const told = await eventually(async () => {
    await fighter();
    const facts = await workflows.findFacts(registry).catch(() => undefined);
    return facts?.server?.warnings.find(({ reason }) => reason === 'FieldContested');
  });
  expect(told.message).toContain('Service tools-api is repeatedly changed by fighter');
  // Repairs happen immediately, then after 5, 10 and 20 s, however long the machine takes for each.
  expect(repairs).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(1 + (Date.now() - startedAtMs) / 5_000)) + 1);
  await api.delete('MCPRegistry', { namespace, name: 'tools' });
  await fought.stop();
});
