import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { kinds } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { startOperator } from '#support/running-operator.js';
import type { RunningOperator } from '#support/running-operator.js';
import { sharedApiServer } from '#support/shared-api-server.js';

const REGISTRIES = ['a', 'b', 'c', 'd', 'e'];
const [OLD, NEW] = ['registry.example.com/server:1', 'registry.example.com/server:2'];

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let namespace: string;
const running: RunningOperator[] = [];

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
});

beforeEach(async () => {
  namespace = await createNamespace(api);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()));
});

afterAll(() => api.close());

async function start(image: string): Promise<RunningOperator> {
  const started = await startOperator({
    access: adminAccess(address),
    namespaces: [namespace],
    temporalAddress: inject('temporalAddress'),
    release: `upgrade-${namespace}`,
    image,
  });
  running.push(started);
  await expect.poll(() => isReady(started)).toBe(true);
  return started;
}

async function isReady({ operator }: RunningOperator): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${operator.ports.healthPort}/readyz`).catch(() => undefined);
  return answer?.status === 200;
}

/** Returns the images of all servers. */
async function images(): Promise<readonly (string | undefined)[]> {
  const deployments = await Promise.all(
    REGISTRIES.map((name) => api.get<Deployment>('Deployment', namespace, `${name}-api`)),
  );
  return deployments.map((deployment) => deployment?.spec.template.spec.containers[0]?.image);
}

it.each([0, 3_000, 8_000])(
  'an upgrade reaches every registry although the old operator runs for %i ms after the new one is ready',
  async (overlapMs) => {
    const old = await start(OLD);
    const spec = { auth: { mode: 'anonymous' }, registries: [{ name: 's', configMapRef: { name: 'x', key: 'k' } }] };
    for (const name of REGISTRIES) {
      const { apiVersion } = kinds.MCPRegistry;
      await api.create({ apiVersion, kind: 'MCPRegistry', metadata: { name, namespace }, spec } as KubernetesObject);
    }
    await expect.poll(images, { timeout: 120_000 }).toEqual(REGISTRIES.map(() => OLD));
    await start(NEW);
    await sleep(overlapMs);
    await old.stop();
    await expect.poll(images).toEqual(REGISTRIES.map(() => NEW));
  },
);
