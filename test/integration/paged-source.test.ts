import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { at, entries, UpstreamRegistry } from '#support/upstream-registry.js';

let upstream: UpstreamRegistry;
let world: RegistryWorld;

beforeEach(async () => {
  upstream = new UpstreamRegistry();
});

afterEach(async () => {
  upstream.close();
  await world?.stop();
});

const manifest = (endpoint: string, interval = '1h') => `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: mirror}
spec:
  auth: {mode: anonymous}
  registries:
    - name: upstream
      api: {endpoint: '${endpoint}/'}
      syncPolicy: {interval: ${interval}}
`;

async function start(interval?: string): Promise<void> {
  const endpoint = await upstream.listen();
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: manifest(endpoint, interval),
  });
}

const stored = async () =>
  world.query<{ name: string; description: string; status: string; deleted: boolean; published: string }>(
    `SELECT name, description, status, deleted_at IS NOT NULL AS deleted, published_at::text AS published
       FROM entry ORDER BY name`,
  );

async function synced(): Promise<Awaited<ReturnType<RegistryWorld['nthRun']>>> {
  const before = world.runs.length;
  await world.syncByUser('upstream');
  return eventually(() => world.runs[before]?.outcome);
}

describe('a source that is read page by page', () => {
  it('is read completely at first, and then only for changes, including removals', async () => {
    upstream.entries = entries(35);
    await start('1s');
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 35, added: 35 } });
    expect((await stored())[0]?.published).toMatch(/^2026-01-01 00:00:00/);

    expect((await world.nthRun('upstream', 2)).counts).toBeUndefined();
    const isLook = (url: string) => url.includes('limit=1&');
    expect(upstream.asked.filter(isLook)).not.toEqual([]);
    const pages = upstream.asked.filter((url) => !isLook(url));
    expect(new Set(pages).size, 'each page is asked for once').toBe(pages.length);

    upstream.entries[3] = { ...upstream.entries[3]!, updatedAt: at(100), description: 'Edited' };
    upstream.entries[4] = { ...upstream.entries[4]!, updatedAt: at(101), status: 'deleted' };
    upstream.entries[5] = { ...upstream.entries[5]!, updatedAt: at(102), status: 'deprecated' };
    upstream.entries.push({ name: 'a/new', updatedAt: at(103) });
    upstream.asked.length = 0;
    const changed = await eventually(() => world.runs.slice(1).find(({ outcome }) => outcome.counts)?.outcome);
    expect(changed.counts).toMatchObject({ served: 35, added: 1, updated: 2, removed: 1 });
    expect(upstream.asked.every((url) => url.includes('updated_since='))).toBe(true);
    const rows = await stored();
    expect(rows.find(({ name }) => name === 'a/003')).toMatchObject({ description: 'Edited', deleted: false });
    expect(rows.find(({ name }) => name === 'a/004')).toMatchObject({ deleted: true });
    expect(rows.find(({ name }) => name === 'a/005')).toMatchObject({ status: 'deprecated' });
  });

  it('contains an entry once that a later page repeats because the list has grown', async () => {
    upstream.entries = [...entries(15), ...entries(4)];
    await start();
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 15, added: 15, quarantined: 0 } });
  });

  it('also gives an entry that became visible after a later one was read', async () => {
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
    upstream.entries = [{ name: 'a/later', updatedAt: ago(5) }];
    await start('1s');
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 1 } });
    upstream.entries.push({ name: 'a/late', updatedAt: ago(20) });
    const found = await eventually(() => world.runs.find(({ outcome }) => outcome.counts?.served === 2)?.outcome);
    expect(found.counts).toMatchObject({ added: 1, removed: 0 });
  });

  it('is read completely by a manual sync', async () => {
    upstream.entries = entries(35);
    await start();
    await world.nthRun('upstream', 1);
    // The upstream drops an entry without a tombstone, so nothing appears to have changed.
    upstream.entries.splice(7, 1);
    expect((await synced()).counts).toMatchObject({ served: 34, removed: 1 });
  });

  it('continues after the last stored page if an attempt fails', async () => {
    upstream.entries = entries(60);
    let broken = true;
    upstream.instead = (request, response) => {
      if (!broken || !request.url?.includes('cursor=40')) return false;
      response.destroy();
      return true;
    };
    await start();
    await eventually(() => upstream.asked.filter((url) => url.includes('cursor=40')).length >= 4 || undefined);
    expect(await stored()).toEqual([]);
    broken = false;
    expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 60 } });
    expect(upstream.asked.filter((url) => url.includes('cursor=20'))).toHaveLength(1);
    expect(await world.query('SELECT * FROM staged_walk')).toEqual([]);
  });

  it.each(['the first walk', 'a walk over changes'])(
    'contains nothing of its former registry when its endpoint is edited during %s',
    async (walk) => {
      upstream.entries = entries(35);
      const breaksOff = (url: string) => /[?&]cursor=2/.test(url) || url.includes('updated_since=');
      const broken: string[] = [];
      const breaking: UpstreamRegistry['instead'] = ({ url = '' }, response) => {
        if (!breaksOff(url) || url.includes('limit=1&')) return false;
        broken.push(url);
        response.destroy();
        return true;
      };
      if (walk === 'the first walk') upstream.instead = breaking;
      await start('1s');
      if (walk !== 'the first walk') {
        await world.nthRun('upstream', 1);
        upstream.instead = breaking;
        upstream.entries.push({ name: 'a/new', updatedAt: at(100) });
      }
      await eventually(() => broken[0]);
      const other = new UpstreamRegistry();
      try {
        other.entries = entries(40).map((entry) => ({ ...entry, name: entry.name.replace('a/', 'b/') }));
        await world.edit(manifest(await other.listen()));
        await eventually(async () => (await stored()).some(({ name }) => name.startsWith('b/')) || undefined);
        const live = (await stored()).filter(({ deleted }) => !deleted);
        expect(live.map(({ name }) => name)).toEqual(other.entries.map(({ name }) => name));
      } finally {
        other.close();
      }
    },
  );

  it('succeeds with a warning if it is empty at first, and is blocked when it becomes empty', async () => {
    await start();
    expect(await world.nthRun('upstream', 1)).toMatchObject({
      notice: { reason: 'SourceEmpty', message: 'the source holds no servers' },
    });
    upstream.entries = entries(3);
    expect((await synced()).counts).toMatchObject({ served: 3 });
    upstream.entries = [];
    expect(await synced()).toMatchObject({ failure: { reason: 'ShrinkGuard' } });
    expect(await stored()).toHaveLength(3);
    expect((await synced()).counts).toMatchObject({ served: 0, removed: 3 });
  });
});

describe('registries that hang during a walk', () => {
  it('delay neither a responsive one nor a file', async () => {
    const answering = new UpstreamRegistry();
    answering.entries = entries(25);
    upstream.entries = entries(25);
    const hanging = new Set<string>();
    upstream.instead = ({ url = '' }) => url.includes('cursor=') && hanging.add(url.split('/')[1] ?? '') !== undefined;
    const [endpoint, other] = [await upstream.listen(), await answering.listen()];
    const dead = Array.from(
      { length: 9 },
      (_, index) => `
    - name: dead-${index}
      api: {endpoint: '${endpoint}/${index}'}`,
    );
    const spec = (sources: readonly string[]) => `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: mirror}
spec:
  auth: {mode: anonymous}
  registries:${sources.join('')}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: data}
data: {registry.json: '${toolhiveCatalogue(3)}'}
`;
    try {
      world = await RegistryWorld.start({ temporalAddress: inject('temporalAddress'), manifests: spec(dead) });
      await eventually(() => (hanging.size === dead.length ? true : undefined));
      const late = [
        `\n    - name: upstream\n      api: {endpoint: '${other}'}`,
        `\n    - name: file\n      configMapRef: {name: data, key: registry.json}`,
      ];
      await world.edit(spec([...dead, ...late]));
      expect(await world.nthRun('upstream', 1)).toMatchObject({ counts: { served: 25 } });
      expect(await world.nthRun('file', 1)).toMatchObject({ counts: { served: 3 } });
      expect(world.runs).toHaveLength(2);
    } finally {
      answering.close();
    }
  });
});
