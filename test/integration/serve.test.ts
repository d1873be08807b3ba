import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { withClient } from '#persistence/database-client.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { Door } from '#temporal/testing/door.js';
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

/** Starts the operator's part: a workflow for this configuration. The test itself starts the server. */
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

/** Waits until the source serves `count` servers, all of this edition. */
function served(pod: ServerPod, source: string, count: number, edition = 1): Promise<true> {
  return eventually(async () => {
    const servers = await listServers(`${pod.url}/registry/${source}`);
    const isServed =
      servers?.length === count && servers.every(({ description }) => description.endsWith(`edition ${edition}`));
    return isServed || undefined;
  });
}

describe('a server with an embedded database', () => {
  it('syncs mounted files and git, and stops without dropping a request', async () => {
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
    // The workflow learns about a run a moment before the database, on which readiness depends.
    await expect.poll(() => pod.readiness()).toMatchObject({ status: 200 });

    const answers = await answersUntilNotReady(pod, '/registry/git/v0.1/servers', () => server.end());
    expect(answers).toEqual(new Set(['200']));
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.stderr).toBe('');
  });

  it('restarts after a kill, with a new store', async () => {
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

describe('a server with an external database', () => {
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

  it('starts without it, reports that, and survives outages of all dependencies', async () => {
    const { database, temporal, world, pod } = await start();
    await Promise.all([database.shut(), temporal.shut()]);
    const server = pod.start();
    const away = await eventually(async () => {
      const readiness = await pod.readiness();
      return readiness?.body.includes('DatabaseUnreachable') ? readiness : undefined;
    });
    expect(away.status).toBe(503);
    // Clients without login can read this response, so it must not reveal the database's host, port or role.
    expect(away.body).not.toMatch(new RegExp(`127\\.0\\.0\\.1|${database.port}|ECONNREFUSED| as `));
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

  it('hands its tasks over to the server of a newer spec', async () => {
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

/** Counts the connections to the database of a world, except for the one that runs this query. */
async function connections({ database }: RegistryWorld): Promise<number> {
  const sql =
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1';
  return withClient(
    database.app,
    async (client) => (await client.query<{ n: number }>(sql, ['mcp-registry%'])).rows[0]?.n ?? 0,
    { application_name: 'test' },
  );
}

describe('the database of a server', () => {
  async function start(spec: object = {}) {
    await edit(1);
    const sources = { auth: { mode: 'anonymous' }, registries: [{ name: 'file', file: { path: localFile() } }] };
    const world = await startWorld(sources);
    const door = ends.use(await doorToPostgres());
    const where = { host: '127.0.0.1', port: door.port, database: world.database.app.database, sslMode: 'disable' };
    const config = { ...sources, database: { ...where, ...spec } };
    return { world, config, pod: await createPod(world, config) };
  }

  it('has at most two connections of an idle server, one of an idle reader, and closes unused ones', async () => {
    const { world, config, pod } = await start();
    pod.start();
    await served(pod, 'file', 3);
    // Each of these requests opens a connection for a different purpose.
    for (const path of ['/v1/sources', '/v1/registries', '/v0.1/servers']) await fetch(`${pod.url}${path}`);
    await expect.poll(() => connections(world), { timeout: 60_000 }).toBe(2);
    const reader = await createPod(world, config);
    reader.start({ args: ['--read-only'] });
    await served(reader, 'file', 3);
    await expect.poll(() => connections(world), { timeout: 60_000 }).toBe(3);
  });

  it('belongs to its cluster: a server of another one shows nothing of it, and reports the owner', async () => {
    const { world, config, pod } = await start();
    const first = pod.start({ env: { REGISTRY_CLUSTER: 'blue' } });
    await served(pod, 'file', 3);
    const registry = { ...world.registry, uid: randomUUID() };
    const second = ends.use(
      await ServerPod.create({ registry, config: JSON.stringify(config), temporalAddress: inject('temporalAddress') }),
    );
    const other = second.start({ env: { REGISTRY_CLUSTER: 'green' } });
    // Probes show only the reason; the log and the status also show the holder.
    const refused = { status: 503, body: expect.stringContaining('DatabaseOwnedByAnother') };
    await expect.poll(() => second.readiness()).toMatchObject(refused);
    const refusal = `belongs to MCPRegistry team/tools (uid ${world.registry.uid}) of cluster blue, not of green`;
    await expect.poll(() => other.stdout).toContain(refusal);
    expect((await fetch(`${second.url}/registry/file/v0.1/servers`)).status).toBe(503);
    await edit(2);
    await syncNow(world);
    await served(pod, 'file', 3, 2);
    // To move the database to the other cluster, stop the servers of the first cluster and release the database.
    await first.end();
    await withClient(world.database.app, (client) =>
      client.query("UPDATE store SET owner = NULL, claimed_at = now() - interval '1 hour'"),
    );
    await served(second, 'file', 3, 2);
    expect(await second.readiness()).toMatchObject({ status: 200 });
    const back = pod.start({ env: { REGISTRY_CLUSTER: 'blue' } });
    await expect.poll(() => pod.readiness()).toMatchObject(refused);
    await expect.poll(() => back.stdout).toContain('of cluster green, not of blue');
    await Promise.all([other.end(), back.end()]);
  });
});

describe('an invalid server', () => {
  const env = { PATH: process.env['PATH'], REGISTRY_NAME: 'tools', REGISTRY_UID: 'u', TEMPORAL_DIR: '/nowhere' };

  it.each([
    ['auth: { mode: anonymous }', /no Temporal server is configured: \/nowhere\/address is missing/],
    [
      'auth: { mode: nobody }\nregistries: []',
      /config\.yaml: line 1: auth\.mode: "nobody" must be one of oauth, anonymous\n.*line 2: registries: must not be empty/,
    ],
  ])('reports why: %j', async (config, message) => {
    const file = join(repository.directory, 'config.yaml');
    await writeFile(file, config);
    const child = startShipped(['serve', '--config', file], { env });
    expect(await child.exited).toEqual({ code: 2, signal: null });
    expect(child.stderr).toMatch(message);
  });
});

/** Starts a sync again that an outage has stopped. */
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

/** The part of the three seconds of a graceful shutdown in which every response must succeed. */
const STILL_SERVED_MS = 2_000;

/** Sends requests until the server is no longer ready, as clients of a Service do. Returns the distinct results. */
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
      // A client that is delayed for longer than that may find the port closed.
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
