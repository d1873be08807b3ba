import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { Door } from '#temporal/testing/door.js';
import { buildRelease, previousRelease } from '#support/previous-release.js';
import { RegistryWorld } from '#support/registry-world.js';
import { ServerPod } from '#support/server-pod.js';
import { listServers } from '#support/standalone-process.js';

const release = previousRelease();
const socket = `${process.env['TEST_POSTGRES_SOCKET']}/.s.PGSQL.5432`;

/**
 * During a rollout, pods of the previous release run on the schema that the first pod of this release has migrated, and
 * the operator of this release requests their syncs.
 */
describe.skipIf(release === undefined)(
  `the server of ${release ?? 'the previous release (skipped: there is no tag v* before this commit)'}`,
  () => {
    it('syncs into the current schema, and serves the existing entries', async () => {
      await using ends = new AsyncDisposableStack();
      const { main } = ends.use(await buildRelease(release as string));
      const directory = await mkdtemp(join(tmpdir(), 'previous-release-data-'));
      ends.defer(() => rm(directory, { recursive: true, force: true }));
      const file = join(directory, 'local.json');
      await writeFile(file, toolhiveCatalogue(3, 1));
      const sources = { auth: { mode: 'anonymous' }, registries: [{ name: 'file', file: { path: file } }] };
      const manifest = {
        apiVersion: 'toolhive.stacklok.dev/v1beta1',
        kind: 'MCPRegistry',
        metadata: { name: 'tools', namespace: 'team' },
        spec: { configYAML: JSON.stringify(sources) },
      };
      const world = await RegistryWorld.start({
        temporalAddress: inject('temporalAddress'),
        manifests: JSON.stringify(manifest),
        withoutStore: true,
      });
      ends.defer(() => world.stop());
      const door = ends.use(await Door.to({ path: socket }));
      const { database } = world.database.app;
      const config = { ...sources, database: { host: '127.0.0.1', port: door.port, database, sslMode: 'disable' } };
      const temporalAddress = inject('temporalAddress');
      const pod = ends.use(
        await ServerPod.create({ registry: world.registry, config: JSON.stringify(config), temporalAddress, main }),
      );
      const server = pod.start();
      const served = async () => (await listServers(`${pod.url}/registry/file`))?.length;
      await expect.poll(served, { timeout: 200_000 }).toBe(3);
      await expect.poll(() => pod.readiness()).toMatchObject({ status: 200 });
      await writeFile(file, toolhiveCatalogue(5, 2));
      await world.workflows.syncNow(world.registry, 'file');
      await expect.poll(served).toBe(5);
      await server.end();
      expect(await server.exited).toEqual({ code: 0, signal: null });
      // If the packages differ from today's, they are installed first, which takes time.
    }, 900_000);
  },
);
