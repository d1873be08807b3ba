import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { Door } from '#support/door.js';
import { eventually } from '#support/eventually.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { RegistryWorld } from '#support/registry-world.js';
import { ServerPod } from '#support/server-pod.js';
import { startShipped } from '#support/shipped-process.js';
import { listServers } from '#support/standalone-process.js';

let ends: AsyncDisposableStack;
let repository: GitRepository;

beforeEach(async () => {
  ends = new AsyncDisposableStack();
  repository = ends.use(await createGitRepository());
});

afterEach(() => ends.disposeAsync());

const localFile = () => join(repository.directory, 'local.json');
const edit = (edition: number) => writeFile(localFile(), toolhiveCatalogue(3, edition));

/** The operator's half: a workflow for this configuration; whoever serves it is up to the test. */
async function startWorld(config: object): Promise<RegistryWorld> {
  const manifest = {
    apiVersion: 'toolhive.stacklok.dev/v1beta1',
    kind: 'MCPRegistry',
    metadata: { name: 'tools', namespace: 'team' },
    spec: { configYAML: JSON.stringify(config) },
  };
  const world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: JSON.stringify(manifest),
    withoutStore: true,
  });
  ends.defer(() => world.stop());
  return world;
}

async function createPod(world: RegistryWorld, config: object, temporalAddress = inject('temporalAddress')) {
  const { registry } = world;
  return ends.use(await ServerPod.create({ registry, config: JSON.stringify(config), temporalAddress }));
}

/** Until the source has so many servers, each of this edition. */
function served(pod: ServerPod, source: string, count: number, edition = 1): Promise<true> {
  return eventually(async () => {
    const servers = await listServers(`${pod.url}/registry/${source}`);
    const isServed =
      servers?.length === count && servers.every(({ description }) => description.endsWith(`edition ${edition}`));
    return isServed || undefined;
  });
}

describe('a server with a database of its own', () => {
  it('syncs what is mounted and what is in git, and ends without dropping a request', async () => {
    await repository.commit({ 'registry.json': toolhiveCatalogue(5) });
    await edit(1);
    const config = {
      auth: { mode: 'anonymous' },
      registries: [
        { name: 'git', git: { repository: repository.url } },
        { name: 'file', file: { path: localFile() } },
        { name: 'config-map', configMapRef: { name: 'data', key: 'servers.json' } },
        { name: 'volume', pvcRef: { claimName: 'claim', path: 'a.json' } },
        { name: 'absent', pvcRef: { claimName: 'nowhere' } },
      ],
    };
    const world = await startWorld(config);
    const pod = await createPod(world, config);
    await pod.mount('config/registry/config-map/registry.json', toolhiveCatalogue(2));
    await pod.mount('config/registry/volume/a.json', toolhiveCatalogue(4));

    const server = pod.start();
    await Promise.all([
      served(pod, 'git', 5),
      served(pod, 'file', 3),
      served(pod, 'config-map', 2),
      served(pod, 'volume', 4),
    ]);
    await world.source('absent', ({ failure }) => failure?.reason === 'PVCNotFound');
    // The workflow hears of a run a moment before the database does, which readiness goes by.
    await expect.poll(() => pod.readiness()).toMatchObject({ status: 200 });

    const answers = await answersUntilNotReady(pod, '/registry/git/v0.1/servers', () => server.end());
    expect(answers).toEqual(new Set(['200']));
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.stderr).toBe('');
  });

  it('begins anew after a kill, with a store of its own', async () => {
    await edit(1);
    const config = { auth: { mode: 'anonymous' }, registries: [{ name: 'file', file: { path: localFile() } }] };
    const world = await startWorld(config);
    const pod = await createPod(world, config);
    const first = pod.start();
    await served(pod, 'file', 3);
    const [firstStore] = await world.workflows.liveStores(world.registry);
    await first.kill();

    await edit(2);
    pod.start();
    await served(pod, 'file', 3, 2);
    const stores = await world.workflows.liveStores(world.registry);
    expect(stores.some(({ id }) => id !== firstStore?.id)).toBe(true);
  });
});

describe('a server with a database elsewhere', () => {
  async function start() {
    await edit(1);
    const database = ends.use(await doorToPostgres());
    const temporal = ends.use(await doorToTemporal());
    const sources = { auth: { mode: 'anonymous' }, registries: [{ name: 'file', file: { path: localFile() } }] };
    const world = await startWorld(sources);
    const where = { host: '127.0.0.1', port: database.port, database: world.database.app.database, sslMode: 'disable' };
    const config = { ...sources, database: where };
    return { database, temporal, world, pod: await createPod(world, config, `127.0.0.1:${temporal.port}`), config };
  }

  it('starts without it, says so, and lives through outages of all that it needs', async () => {
    const { database, temporal, world, pod } = await start();
    await Promise.all([database.shut(), temporal.shut()]);
    const server = pod.start();
    const away = await eventually(async () => {
      const readiness = await pod.readiness();
      return readiness?.body.includes('DatabaseUnreachable') ? readiness : undefined;
    });
    expect(away.status).toBe(503);
    await database.open();
    await temporal.open();
    await served(pod, 'file', 3);

    await temporal.shut();
    expect(await listServers(`${pod.url}/registry/file`)).toHaveLength(3);
    const told = async () => {
      const { status, body } = (await pod.readiness()) ?? { status: 0, body: '' };
      const stale = (await fetch(`${pod.url}/v0.1/servers`)).headers.get('x-registry-stale');
      return { status, noSyncs: body.includes('no syncs since'), isStale: stale !== null };
    };
    await expect.poll(told).toEqual({ status: 200, noSyncs: true, isStale: true });
    await temporal.open();
    await expect.poll(told).toEqual({ status: 200, noSyncs: false, isStale: false });
    await edit(2);
    await syncNow(world);
    await served(pod, 'file', 3, 2);

    await database.shut();
    expect(await listServers(`${pod.url}/registry/file`)).toHaveLength(3);
    expect(await pod.readiness()).toMatchObject({ status: 200 });
    await database.open();
    await edit(3);
    await syncNow(world);
    await served(pod, 'file', 3, 3);
    await server.end();
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  it('gives its tasks over to the server of a newer spec', async () => {
    const { world, pod, config } = await start();
    const old = pod.start();
    await served(pod, 'file', 3);
    const newer = await createPod(world, config);
    newer.start({ podHash: 'pod-2', podName: 'tools-api-2' });
    await eventually(async () => {
      const stores = await world.workflows.liveStores(world.registry);
      return stores.length === 1 && stores[0]?.taskQueue.includes('/pod-2/') ? true : undefined;
    });
    await old.end();
    await edit(2);
    await syncNow(world);
    await served(newer, 'file', 3, 2);
    expect(await old.exited).toEqual({ code: 0, signal: null });
  });
});

describe('a server that cannot be one', () => {
  const env = { PATH: process.env['PATH'], REGISTRY_NAME: 'tools', REGISTRY_UID: 'u', TEMPORAL_DIR: '/nowhere' };

  it.each([
    ['auth: { mode: anonymous }', /no Temporal server is named: \/nowhere\/address is missing/],
    [
      'auth: { mode: nobody }\nregistries: []',
      /config\.yaml: line 1: auth\.mode: "nobody" must be one of oauth, anonymous\n.*line 2: registries: must not be empty/,
    ],
  ])('says why: %j', async (config, message) => {
    const file = join(repository.directory, 'config.yaml');
    await writeFile(file, config);
    const child = startShipped(['serve', '--config', file], { env });
    expect(await child.exited).toEqual({ code: 2, signal: null });
    expect(child.stderr).toMatch(message);
  });
});

/** Starts once more what an outage has ended. */
async function syncNow(world: RegistryWorld): Promise<void> {
  await world.workflows.syncNow(world.registry, 'file');
}

function doorToPostgres(): Promise<Door> {
  return Door.to({ path: join(process.env['TEST_POSTGRES_SOCKET'] ?? '', '.s.PGSQL.5432') });
}

function doorToTemporal(): Promise<Door> {
  const [host = '', port] = inject('temporalAddress').split(':');
  return Door.to({ host, port: Number(port) });
}

/** The part of the three seconds of a graceful end in which every answer counts. */
const STILL_SERVED_MS = 2_000;

/** How requests were answered of clients that come until the server is not ready, as a Service brings them. */
async function answersUntilNotReady(
  pod: ServerPod,
  path: string,
  happening: () => Promise<unknown>,
): Promise<Set<string>> {
  const answers = new Set<string>();
  let answered = 0;
  let countedUntil = Infinity;
  const over = new AbortController();
  const client = async () => {
    while (!over.signal.aborted) {
      const answer = await fetch(pod.url + path).then(
        async (response) => {
          await response.arrayBuffer();
          return String(response.status);
        },
        ({ cause }: { cause?: NodeJS.ErrnoException }) => cause?.code ?? 'no answer',
      );
      // A client that stands still for so long may find the door shut.
      if (performance.now() < countedUntil) answers.add(answer);
      answered += 1;
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await eventually(() => answered > 100 || undefined);
  countedUntil = performance.now() + STILL_SERVED_MS;
  const happened = happening();
  await eventually(async () => ((await pod.readiness())?.status === 200 ? undefined : true));
  over.abort();
  await Promise.all([...clients, happened]);
  return answers;
}
