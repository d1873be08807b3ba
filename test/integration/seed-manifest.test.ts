import { afterAll, describe, expect, inject, it } from 'vitest';
import { createGitRepository } from '#sources/testing/git-repository.js';
import { readFixture } from '#support/optional-fixture.js';
import { RegistryWorld } from '#support/registry-world.js';

const MANIFEST = readFixture('seed-manifests/01-minimal.yaml');
const CATALOGUE = readFixture('catalogues/toolhive.json');
const PATH = 'pkg/registry/data/registry.json';

let world: RegistryWorld | undefined;

afterAll(() => world?.stop());

describe.skipIf(MANIFEST === undefined || CATALOGUE === undefined)('the minimal manifest, unchanged', () => {
  it('serves the real catalogue from a mirror: every server and every remote', async () => {
    await using repository = await createGitRepository();
    const text = CATALOGUE!;
    await repository.commit({ [PATH]: text });
    world = await RegistryWorld.start({
      temporalAddress: inject('temporalAddress'),
      manifests: MANIFEST!,
      settings: { urlRewrites: [{ from: 'https://github.com/stacklok/toolhive.git', to: repository.url }] },
    });
    const { servers, remote_servers: remotes } = JSON.parse(text) as Record<string, object>;
    const expected = Object.keys({ ...servers, ...remotes }).length;
    expect(await world.nthRun('toolhive', 1)).toMatchObject({
      counts: { served: expected, added: expected, quarantined: 0 },
    });
    expect(expected).toBe(102);
    const kinds = await world.query<{ packages: number; remotes: number }>(
      `SELECT count(*) FILTER (WHERE server_json::jsonb ? 'packages')::int AS packages,
              count(*) FILTER (WHERE server_json::jsonb ? 'remotes')::int AS remotes FROM entry`,
    );
    expect(kinds).toEqual([{ packages: 79, remotes: 23 }]);

    const before = await world.query('SELECT name, xmin::text FROM entry ORDER BY name');
    await world.workflows.syncNow(world.registry);
    expect((await world.nthRun('toolhive', 2)).counts).toBeUndefined();
    expect(await world.query('SELECT name, xmin::text FROM entry ORDER BY name')).toEqual(before);

    const commit = await repository.commit({ [PATH]: text.replace('"tier": "Official"', '"tier": "Community"') });
    await world.workflows.syncNow(world.registry);
    expect(await world.nthRun('toolhive', 3)).toMatchObject({ revision: commit, counts: { updated: 1, served: 102 } });
  });
});
