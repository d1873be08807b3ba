import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { createTestDatabase } from '#support/database.js';
import { eventually } from '#support/eventually.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import {
  configMap,
  configMapSource,
  listServers,
  manifestOf,
  mcpRegistry,
  StandalonePlace,
} from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

describe('with DATABASE_URL and TEMPORAL_ADDRESS', () => {
  it('starts no server, and does not affect what another instance stores in the same ones', async () => {
    const database = await createTestDatabase();
    const { host, database: name } = database.migrator;
    const env = {
      DATABASE_URL: `postgresql://db_migrator@localhost/${name}?host=${encodeURIComponent(host as string)}`,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
    };
    const data = configMap('cm', toolhiveCatalogue(3));
    await using one = await StandalonePlace.create({
      manifest: manifestOf(mcpRegistry('one', [configMapSource('cm')]), data),
    });
    await using two = await StandalonePlace.create({
      manifest: manifestOf(mcpRegistry('two', [configMapSource('cm')]), data),
    });
    const runs = [one.start({ env }), two.start({ env })];
    for (const run of runs) await run.ready();
    expect(runs.map(({ output }) => /Temporal UI/.test(output))).toEqual([false, false]);
    await expect.poll(() => listServers(`${one.url}/default/one`)).toHaveLength(3);
    await expect.poll(() => listServers(`${two.url}/default/two`)).toHaveLength(3);
    // Each has only its own main process, and no server of its own.
    expect([await one.commands(), await two.commands()]).toEqual([[expect.anything()], [expect.anything()]]);

    for (const [index, place] of [one, two].entries()) {
      await place.edit(
        manifestOf(
          mcpRegistry(['one', 'two'][index] as string, [configMapSource('cm')]),
          configMap('cm', toolhiveCatalogue(4)),
        ),
      );
      await eventually(async () => ((await listServers(place.url))?.length === 4 ? true : undefined));
    }
    for (const run of runs) expect(await run.stop()).toEqual({ code: 130, signal: null });
    await database.drop();
  });
});

describe('when a server is killed', () => {
  const PATH = 'registry.json';
  const SOURCE = { name: 'servers', git: { repository: 'https://git.example/servers.git', path: PATH } };
  let place: StandalonePlace;
  let repository: GitRepository;
  let running: ShippedProcess;

  beforeAll(async () => {
    repository = await createGitRepository();
    await repository.commit({ [PATH]: toolhiveCatalogue(1) });
    const manifest = manifestOf(mcpRegistry('team', [{ ...SOURCE, syncPolicy: { interval: '1s' } }]));
    place = await StandalonePlace.create({ manifest });
    const env = { SOURCE_URL_REWRITES: `${SOURCE.git.repository}=${repository.url}`, MIN_SYNC_INTERVAL: '1s' };
    running = place.start({ env });
    await running.ready();
  });

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
    await repository[Symbol.asyncDispose]();
  });

  it('restarts it, serves the API all the time, continues to sync, and still stops gracefully on SIGTERM', async () => {
    for (const [server, servers] of [
      ['temporal', 2],
      ['postgres', 3],
    ] as const) {
      const before = (await place.servers())[server];
      process.kill(before, 'SIGKILL');
      await repository.commit({ [PATH]: toolhiveCatalogue(servers) });
      await eventually(async () => {
        const listed = await listServers(place.url);
        expect(listed).toBeDefined();
        return listed?.length === servers ? true : undefined;
      });
      expect((await place.servers())[server]).not.toBe(before);
      expect(running.stderr).not.toMatch(/\n {4}at /);
    }
    // systemd and container runtimes send SIGTERM.
    running.signal('SIGTERM');
    expect(await running.exited).toEqual({ code: 143, signal: null });
    await expect.poll(() => place.commands()).toEqual([]);
  });
});
