import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { sourceDirectory } from '#activities/cache-directory.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { KillableWorker } from '#support/killable-worker.js';
import { RegistryWorld } from '#support/registry-world.js';

const REPOSITORY = 'https://git.example/servers.git';
const SERVERS = 30;

const manifest = (name: string) => `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: team}
spec:
  auth: {mode: anonymous}
  registries:
    - name: ${name}
      git: {repository: ${REPOSITORY}, path: registry.json}
`;

let repository: GitRepository;
let world: RegistryWorld;
let worker: KillableWorker;

beforeAll(async () => {
  repository = await createGitRepository();
  await repository.commit({ 'registry.json': toolhiveCatalogue(SERVERS) });
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    heartbeatTimeoutMs: 5_000,
    withoutSyncWorker: true,
    settings: { urlRewrites: [{ from: REPOSITORY, to: repository.url }] },
    manifests: manifest('servers'),
  });
  worker = new KillableWorker(world.syncWorker);
});

afterAll(async () => {
  await worker?.stop();
  await world?.stop();
  await repository?.[Symbol.asyncDispose]();
});

const cache = () => join(world.syncWorker.directory, 'cache');

/** Returns the names of the downloads of a source that are on the disk. */
async function downloads(source: string): Promise<string[]> {
  const names = await readdir(sourceDirectory(cache(), world.registry.uid, source)).catch(() => []);
  return names.filter((name) => name.endsWith('.json'));
}

it('a process that is killed with a downloaded file leaves none behind once the source is synced', async () => {
  // Readers of the source's entries wait for this lock, so the import waits with the whole file on the disk.
  const blocker = new pg.Client(world.database.migrator);
  blocker.on('error', () => undefined);
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE entry IN ACCESS EXCLUSIVE MODE');
  worker.start();
  await eventually(async () => ((await downloads('servers')).length > 0 ? true : undefined), 5);
  await worker.replace();
  await blocker.query('ROLLBACK');
  await blocker.end();

  const synced = await world.source('servers', ({ lastSyncAtMs }) => lastSyncAtMs !== undefined);
  expect(synced).toMatchObject({ serverCount: SERVERS });
  expect(await downloads('servers')).toEqual([]);
});

it('the folder of a source is removed when the source leaves the spec', async () => {
  await world.edit(manifest('renamed'));
  // This worker reads the manifests only at its start.
  await worker.replace();
  await world.source('renamed', ({ lastSyncAtMs }) => lastSyncAtMs !== undefined);
  const folders = await readdir(join(cache(), world.registry.uid));
  expect(folders.map((name) => join(cache(), world.registry.uid, name))).toEqual([
    sourceDirectory(cache(), world.registry.uid, 'renamed'),
  ]);
});
