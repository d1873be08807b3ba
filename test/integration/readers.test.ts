import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { API_LIMITS } from '#registry-api/limits.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { Door } from '#temporal/testing/door.js';
import { eventually } from '#support/eventually.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';
import { RegistryWorld } from '#support/registry-world.js';
import { ServerPod } from '#support/server-pod.js';

/** An address where nothing listens. */
const NOWHERE = '127.0.0.1:1';

let provider: OidcProvider;
let token: string;
let ends: AsyncDisposableStack;

beforeAll(async () => {
  provider = await OidcProvider.start([await createKey('ES256')]);
  token = await provider.sign();
});

beforeEach(() => void (ends = new AsyncDisposableStack()));
afterEach(() => ends.disposeAsync());
afterAll(() => provider?.[Symbol.asyncDispose]());

/** Starts a registry with a server that syncs and a read-only server over the same database, each as a real process. */
async function startPods() {
  const postgres = ends.use(await Door.to({ path: join(process.env['TEST_POSTGRES_SOCKET'] ?? '', '.s.PGSQL.5432') }));
  const file = join(process.env['TEST_POSTGRES_SOCKET'] ?? '', `readers-${process.pid}.json`);
  const edit = (edition: number) => writeFile(file, toolhiveCatalogue(3, edition));
  await edit(1);
  const providers = [{ name: 'idp', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
  const rest = {
    auth: { mode: 'oauth', oauth: { providers } },
    registries: [
      { name: 'file', file: { path: file } },
      { name: 'ours', managed: { writers: 'everyone' } },
    ],
  };
  const configYAML = (database: string) =>
    JSON.stringify({ ...rest, database: { host: '127.0.0.1', port: postgres.port, database, sslMode: 'disable' } });
  const manifest = {
    apiVersion: 'toolhive.stacklok.dev/v1beta1',
    kind: 'MCPRegistry',
    metadata: { name: 'tools', namespace: 'team' },
    spec: { configYAML: configYAML('registry') },
  };
  const world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: JSON.stringify(manifest),
    withoutStore: true,
  });
  ends.defer(() => world.stop());
  const setup = { registry: world.registry, config: configYAML(world.database.app.database) };
  const writer = ends.use(await ServerPod.create({ ...setup, temporalAddress: inject('temporalAddress') }));
  const reader = ends.use(await ServerPod.create({ ...setup, temporalAddress: NOWHERE }));
  const startReader = (env = { REGISTRY_WRITER_URL: writer.url }) => reader.start({ args: ['--read-only'], env });
  return { world, writer, reader, startReader, edit };
}

const server = (version: string) =>
  JSON.stringify({ name: 'io.example/published', version, description: 'Published through a reader' });

async function send(
  pod: ServerPod,
  method: string,
  path: string,
  body?: string | Buffer | ReadableStream,
  auth = `Bearer ${token}`,
) {
  const response = await fetch(`${pod.url}${path}`, {
    method,
    headers: { authorization: auth, 'content-type': 'application/json', connection: 'close' },
    ...(body !== undefined && { body, duplex: 'half' }),
  } as RequestInit);
  const { status, headers } = response;
  return { status, text: await response.text(), headers };
}

/** Resolves when the pod lists exactly these servers, by name and version. */
function lists(pod: ServerPod, path: string, expected: readonly string[]) {
  return eventually(async () => {
    const answer = await send(pod, 'GET', `${path}/v0.1/servers`).catch(() => undefined);
    if (answer?.status !== 200) return undefined;
    const { servers } = JSON.parse(answer.text) as { servers: { server: { name: string; version: string } }[] };
    const listed = servers.map(({ server: { name, version } }) => `${name} ${version}`).toSorted();
    return JSON.stringify(listed) === JSON.stringify(expected) || undefined;
  });
}

function editionIs(pod: ServerPod, edition: number) {
  return eventually(async () => {
    const answer = await send(pod, 'GET', '/registry/file/v0.1/servers').catch(() => undefined);
    return (answer?.status === 200 && answer.text.includes(`edition ${edition}`)) || undefined;
  });
}

async function connections(world: RegistryWorld, name: string): Promise<number> {
  const client = new Client({ ...world.database.app, application_name: 'test' });
  await client.connect();
  const sql =
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1';
  const { rows } = await client.query<{ n: number }>(sql, [name]);
  await client.end();
  return rows[0]?.n ?? 0;
}

describe('a read-only server', () => {
  it('follows what another server publishes, with one connection and without Temporal', async () => {
    const { world, writer, reader, startReader, edit } = await startPods();
    writer.start();
    await editionIs(writer, 1);
    const followers = await connections(world, 'mcp-registry-api');
    const running = startReader();
    await editionIs(reader, 1);
    await expect.poll(() => reader.readiness()).toMatchObject({ status: 200 });
    expect(await connections(world, 'mcp-registry-api')).toBe(followers + 1);
    await edit(2);
    expect(await send(reader, 'POST', '/v1/sources/file/sync')).toMatchObject({ status: 202 });
    await editionIs(reader, 2);
    await running.end();
    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(running.stderr).toBe('');
  });

  it('forwards publications, with the responses of the server that syncs', async () => {
    const { writer, reader, startReader } = await startPods();
    writer.start();
    startReader();
    await Promise.all([editionIs(writer, 1), editionIs(reader, 1)]);
    const path = '/registry/ours/v0.1/publish';
    const published = await send(reader, 'POST', path, server('1.0.0'));
    expect(published).toMatchObject({ status: 201, text: expect.stringMatching(/"isLatest": ?true/) });
    await Promise.all([writer, reader].map((pod) => lists(pod, '/registry/ours', ['io.example/published 1.0.0'])));
    expect((await send(reader, 'POST', path, server('1.0.0'))).status).toBe(409);
    expect((await send(reader, 'POST', path, server('1.0.1'), 'Bearer nonsense')).status).toBe(401);
    expect((await send(reader, 'POST', '/registry/file/v0.1/publish', server('1.0.1'))).status).toBe(403);
    const entry = '/registry/ours/v0.1/servers/io.example%2Fpublished/versions/1.0.0';
    expect((await send(reader, 'DELETE', entry)).status).toBe(200);
    await lists(reader, '/registry/ours', []);
  });

  it('aborts a body that is too long, declared or not', async () => {
    const { writer, reader, startReader } = await startPods();
    writer.start();
    startReader();
    await Promise.all([editionIs(writer, 1), editionIs(reader, 1)]);
    const path = '/registry/ours/v0.1/publish';
    const long = Buffer.alloc(8 * 1024 * 1024, ' ');
    const statusOf = (body: Buffer | ReadableStream) =>
      send(reader, 'POST', path, body).then(
        ({ status }) => status,
        // The server may close the connection while the rest of the body is still being sent.
        () => 413,
      );
    expect(await statusOf(long)).toBe(413);
    expect(await statusOf(new Blob([long]).stream())).toBe(413);
    expect((await send(reader, 'POST', path, server('2.0.0'))).status).toBe(201);
  });

  it('continues to serve when the server that syncs is killed, and rejects changes until it is available again', async () => {
    const { writer, reader, startReader } = await startPods();
    const first = writer.start();
    const read = startReader();
    await Promise.all([editionIs(writer, 1), editionIs(reader, 1)]);
    await first.kill();
    await lists(reader, '/registry/ours', []);
    const refused = await send(reader, 'POST', '/registry/ours/v0.1/publish', server('1.0.0'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(refused.text).toContain('nothing was changed');
    await read.kill();
    startReader();
    await editionIs(reader, 1);
    writer.start();
    await editionIs(writer, 1);
    expect((await send(reader, 'POST', '/registry/ours/v0.1/publish', server('1.0.0'))).status).toBe(201);
    await lists(reader, '/registry/ours', ['io.example/published 1.0.0']);
  });

  it('limits concurrent forwarded requests', async () => {
    const { writer, reader, startReader } = await startPods();
    writer.start();
    startReader();
    await Promise.all([editionIs(writer, 1), editionIs(reader, 1)]);
    const publish = (index: number) => send(reader, 'POST', '/registry/ours/v0.1/publish', server(`1.${index}.0`));
    const answers = await Promise.all(Array.from({ length: 4 * API_LIMITS.forwarded.inFlight }, (_, i) => publish(i)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 201 && status !== 503)).toEqual([]);
    expect((await publish(1_000)).status).toBe(201);
  });

  it('rejects changes if it has no server to forward them to', async () => {
    const { writer, reader, startReader } = await startPods();
    writer.start();
    startReader({ REGISTRY_WRITER_URL: '' });
    await editionIs(reader, 1);
    const refused = await send(reader, 'POST', '/registry/ours/v0.1/publish', server('1.0.0'));
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect((await send(reader, 'POST', '/v1/sources/file/sync')).status).toBe(405);
    expect((await send(reader, 'POST', '/v0.1/validate', server('1.0.0'))).status).toBe(200);
  });

  it('waits for a database that has not been migrated, and creates no table there', async () => {
    const { reader, startReader } = await startPods();
    const config = await readFile(join(reader.directory, 'config', 'config.yaml'), 'utf8');
    const parsed = JSON.parse(config) as { database: object };
    await reader.mount(
      'config/config.yaml',
      JSON.stringify({ ...parsed, database: { ...parsed.database, database: 'postgres' } }),
    );
    startReader();
    const unready = await eventually(async () => {
      const readiness = await reader.readiness();
      return readiness?.body.includes('DatabaseNotMigrated') ? readiness : undefined;
    });
    expect(unready.status).toBe(503);
  });

  it('exits with the remedy if no database is configured', async () => {
    const { reader, startReader } = await startPods();
    await reader.mount(
      'config/config.yaml',
      JSON.stringify({ auth: { mode: 'anonymous' }, registries: [{ name: 'x', file: { path: '/x.json' } }] }),
    );
    const child = startReader();
    expect(await child.exited).toEqual({ code: 2, signal: null });
    expect(child.stderr).toMatch(/--read-only needs the database .* set database, or leave --read-only out/);
  });
});
