import { afterEach, describe, expect, inject, it } from 'vitest';
import { RegistryWorld } from '#support/registry-world.js';
import { at, UpstreamRegistry } from '#support/upstream-registry.js';

let world: RegistryWorld;

afterEach(() => world?.stop());

const spec = (source: string) => `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: refused}
spec:
  auth: {mode: anonymous}
  registries:
    - name: data
      ${source}
`;

const start = async (manifests: string) => {
  world = await RegistryWorld.start({ temporalAddress: inject('temporalAddress'), manifests });
};

const quarantine = () => world.query<{ key: string }>('SELECT key FROM quarantined_entry ORDER BY key');
const served = async () =>
  (await world.query<{ name: string }>('SELECT name FROM entry WHERE deleted_at IS NULL ORDER BY name')).map(
    ({ name }) => name,
  );
const counts = async () =>
  (await world.query('SELECT served_count AS served, quarantined_count AS quarantined FROM source'))[0];

async function synced() {
  const before = world.runs.length;
  await world.syncByUser('data');
  return world.nthRun('data', before + 1);
}

describe('a source whose entries are all in quarantine', () => {
  it('fails with the first three reasons and the count if it is an API, and lists all of them in its quarantine', async () => {
    const upstream = new UpstreamRegistry(3);
    upstream.entries = ['jira', 'maps', 'mail', 'wiki', 'news'].map((name, index) => ({ name, updatedAt: at(index) }));
    try {
      const endpoint = await upstream.listen();
      await start(spec(`api: {endpoint: '${endpoint}'}`));
      const { failure, notice } = await world.nthRun('data', 1);
      expect(failure?.reason).toBe('InvalidData');
      expect(failure?.message).toMatch(
        /^No entry of http.* can be served: jira: name .*; maps: .*; mail: .*and 2 more/,
      );
      expect(notice).toBeUndefined();
      expect(await quarantine()).toHaveLength(5);
      expect(await counts()).toEqual({ served: 0, quarantined: 5 });

      upstream.entries[2] = { name: 'com.example/mail', updatedAt: at(9) };
      expect((await synced()).counts).toMatchObject({ served: 1, quarantined: 4 });
      expect(await served()).toEqual(['com.example/mail']);

      await world.edit(spec(`defaultNamespace: org.example\n      api: {endpoint: '${endpoint}'}`));
      expect((await world.nthRun('data', 3)).counts).toMatchObject({ served: 5, quarantined: 0, added: 4 });
      expect(await served()).toContain('org.example/jira');
    } finally {
      upstream.close();
    }
  });

  it('keeps what is served if it is a file, shows the errors, and removes them with the next valid revision', async () => {
    const file = (names: readonly string[]) => {
      const servers = names.map((name) => ({ name, version: '1.0.0', description: 'A server' }));
      const text = JSON.stringify({
        version: '1.0.0',
        meta: { last_updated: '2026-01-01T00:00:00Z' },
        data: { servers },
      });
      return `${spec('format: upstream\n      configMapRef: {name: data, key: r.json}')}---
apiVersion: v1
kind: ConfigMap
metadata: {name: data}
data: {r.json: '${text}'}
`;
    };
    const good = file(['com.example/one', 'com.example/two']);
    await start(good);
    expect((await world.nthRun('data', 1)).counts).toMatchObject({ served: 2, quarantined: 0 });
    await world.edit(file(['one', 'two', 'three', 'four']));
    const { failure } = await world.nthRun('data', 2);
    expect(failure).toMatchObject({ reason: 'InvalidData', message: expect.stringContaining('and 1 more') as string });
    expect((await quarantine()).map(({ key }) => key)).toEqual(['four', 'one', 'three', 'two']);
    expect(await served()).toEqual(['com.example/one', 'com.example/two']);
    expect(await counts()).toEqual({ served: 2, quarantined: 4 });

    await world.edit(good);
    expect((await world.nthRun('data', 3)).counts).toMatchObject({ served: 2, quarantined: 0, updated: 0 });
    expect(await quarantine()).toEqual([]);
    expect(await counts()).toEqual({ served: 2, quarantined: 0 });
  });
});
