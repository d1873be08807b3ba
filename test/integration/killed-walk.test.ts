import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { KillableWorker } from '#support/killable-worker.js';
import { RegistryWorld } from '#support/registry-world.js';
import { entries, UpstreamRegistry } from '#support/upstream-registry.js';

const PAGES = 600;
const PAGE_SIZE = 5;
/** The first page, a page in the middle, and the last page. */
const KILLED_AT = [1, 300, PAGES];
const REFETCHED_AT_MOST = 2;

let upstream: UpstreamRegistry;
let world: RegistryWorld;
let worker: KillableWorker;

beforeAll(async () => {
  upstream = new UpstreamRegistry(PAGE_SIZE);
  upstream.entries = entries(PAGES * PAGE_SIZE);
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    withoutSyncWorker: true,
    manifests: `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: mirror}
spec:
  auth: {mode: anonymous}
  registries:
    - name: upstream
      api: {endpoint: '${await upstream.listen()}'}
`,
  });
  worker = new KillableWorker(world.syncWorker);
});

afterAll(async () => {
  upstream.close();
  await worker?.stop();
  await world?.stop();
});

it(`fetches at most ${REFETCHED_AT_MOST} of ${PAGES} pages again when the process is killed at page ${KILLED_AT.join(', at ')}`, async () => {
  const kills = new Set(KILLED_AT);
  upstream.instead = (request) => {
    const page = pageOf(request.url ?? '');
    if (page === undefined || !kills.delete(page)) return false;
    void worker.replace();
    return true;
  };
  worker.start();
  const synced = await world.source('upstream', ({ lastSyncAtMs }) => lastSyncAtMs !== undefined);
  expect(synced).toMatchObject({ serverCount: PAGES * PAGE_SIZE });
  expect(kills.size).toBe(0);

  const asked = upstream.asked.map(pageOf).filter((page) => page !== undefined);
  expect(new Set(asked).size).toBe(PAGES);
  expect(asked.length - PAGES).toBeLessThanOrEqual(KILLED_AT.length * REFETCHED_AT_MOST);
  const names = await world.query<{ name: string }>('SELECT name FROM entry ORDER BY name');
  expect(names.map(({ name }) => name)).toEqual(upstream.entries.map(({ name }) => name).toSorted());
  expect(await world.query('SELECT walk FROM staged_walk')).toEqual([]);
});

/** Returns the number of the page, starting at 1; undefined for a request that is not part of a walk. */
function pageOf(url: string): number | undefined {
  const { searchParams } = new URL(url, 'http://localhost');
  if (searchParams.get('limit') === '1') return undefined;
  return Number(searchParams.get('cursor') ?? 0) / PAGE_SIZE + 1;
}
