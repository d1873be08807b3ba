import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, deleteNamespaces, ensureNamespace, find, kubectl, list, until } from './support/cluster.js';
import type { PodObject } from './support/cluster.js';
import { awaitReady, awaitStatus, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';
import { upstreamCatalogue } from './support/sources.js';

const NAMESPACE = 'e2e-lifecycle';
const KINDS = 'configmaps,serviceaccounts,roles,rolebindings,secrets,deployments,services';

/** Set E2E_IDLE_MS=300000 for the complete proof: the operator lists everything again within five to ten minutes. */
const IDLE_MS = Number(process.env['E2E_IDLE_MS'] ?? 20_000);

const spec = (filter?: object) => ({
  auth: { mode: 'anonymous' },
  registries: [
    {
      name: 'local',
      format: 'upstream',
      configMapRef: { name: 'catalogue', key: 'registry.json' },
      ...(filter && { filter }),
    },
  ],
});

async function writeCatalogue(names: readonly string[]): Promise<void> {
  const data = { 'registry.json': upstreamCatalogue(names) };
  await apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'catalogue', namespace: NAMESPACE }, data }]);
}

describe('a registry in a cluster', () => {
  let registry: DeployedRegistry;
  const served = async () => (await servers(registry, 'local')).servers.map(({ server }) => server.name);
  const children = () => list(KINDS, NAMESPACE, `app.kubernetes.io/instance=${registry.name}`);
  const pods = () => list<PodObject>('pods', NAMESPACE, `app.kubernetes.io/instance=${registry.name}`);

  beforeAll(async () => {
    await ensureNamespace(NAMESPACE);
    await writeCatalogue(['com.example/one', 'com.example/two']);
    registry = await createRegistry(NAMESPACE, 'life', spec());
    await awaitReady(registry);
  });
  afterAll(() => deleteNamespaces([NAMESPACE]));

  it('consists of exactly these objects, all of them its own', async () => {
    const objects = await children();
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'ConfigMap life-registry-server-config',
      'Deployment life-api',
      'Role life-registry-api',
      'RoleBinding life-operator',
      'RoleBinding life-registry-api',
      'Secret life-temporal',
      'Service life-api',
      'ServiceAccount life-registry-api',
    ]);
    for (const { metadata } of objects) {
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'MCPRegistry', name: 'life' }]);
    }
  });

  it('follows an edited ConfigMap and an edited filter, with the pod that it has', async () => {
    const [before] = await pods();
    await writeCatalogue(['com.example/one', 'com.example/three', 'com.example/two']);
    await until('the edit is served', served, (names) => names.length === 3);
    await createRegistry(NAMESPACE, 'life', spec({ names: { exclude: ['*/two'] } }));
    await until('the filter is in effect', served, (names) => !names.includes('com.example/two'));
    expect((await pods()).map(({ metadata }) => metadata.uid)).toEqual([before!.metadata.uid]);
  });

  it.each([
    ['deployment', 'life-api'],
    ['service', 'life-api'],
    ['configmap', 'life-registry-server-config'],
    ['serviceaccount', 'life-registry-api'],
    ['role', 'life-registry-api'],
    ['rolebinding', 'life-registry-api'],
  ])('gets a deleted %s back', async (kind, name) => {
    await kubectl(['delete', kind, name, '--namespace', NAMESPACE, '--wait=false']);
    const present = async () => (await find(kind, name, NAMESPACE)) ?? Promise.reject(new Error('still gone'));
    await until(`${kind} ${name} is back`, present, (object) => !('deletionTimestamp' in object.metadata), {
      withinMs: 180_000,
    });
  });

  it(
    'writes nothing while there is nothing to do',
    async () => {
      await awaitReady(registry);
      const versions = async () => {
        const objects = [...(await children()), ...(await list('mcpregistries', NAMESPACE))];
        return objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
      };
      // Wait until the effects of the deletions above have settled: two checks, some seconds apart, return the same,
      // and no pod is being replaced, such as the one whose ServiceAccount was deleted.
      const rolledOut = ['rollout', 'status', 'deployment/life-api', '--namespace', NAMESPACE, '--timeout', '180s'];
      let before: string[] = [];
      await until(
        'it comes to rest',
        () => kubectl(rolledOut).then(versions),
        (now) => {
          const same = JSON.stringify(now) === JSON.stringify(before);
          before = now;
          return same;
        },
        { everyMs: 8_000, withinMs: 300_000 },
      );
      await sleep(IDLE_MS);
      expect(await versions()).toEqual(before);
    },
    IDLE_MS + 600_000,
  );

  it('is gone with everything it had, also when its source is gone', async () => {
    await kubectl(['delete', 'configmap', 'catalogue', '--namespace', NAMESPACE]);
    await awaitStatus(registry, 'misses its source', (status) =>
      status.conditions.some(({ reason }) => reason === 'ConfigMapNotFound'),
    );
    await kubectl(['delete', 'mcpregistry', 'life', '--namespace', NAMESPACE, '--timeout', '180s']);
    await until('its objects are gone', children, (objects) => objects.length === 0);
  });
});
