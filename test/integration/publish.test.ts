import { randomUUID } from 'node:crypto';
import { hash } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newClient } from '#persistence/database-client.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { eventually } from '#support/eventually.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';
import { servedRegistries } from '#support/served-registries.js';

let database: TestDatabase;
let rows: CatalogueRows;
let provider: OidcProvider;
let token: string;
/** Two replicas that share a database. */
let apis: RegistryApi[];
let registries: ServedRegistry[];
const log: Record<string, unknown>[] = [];

/**
 * Starts a replica. By default, its responses to publications wait as long as a slow machine may need;
 * `visibleWithinMs` shortens that.
 */
async function startReplica(visibleWithinMs = 60_000, served = registries): Promise<RegistryApi> {
  return startRegistryApi({
    ...ALONE,
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: servedRegistries(served),
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-24' },
    logger: pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    visibleWithinMs,
  });
}

async function startLoadedReplica(visibleWithinMs?: number, served = registries): Promise<RegistryApi> {
  const api = await startReplica(visibleWithinMs, served);
  await api.catalogue.nextChange();
  return api;
}

/**
 * Keeps followers from reading the catalogue until the returned function is called. Only followers read the locked
 * table.
 */
async function stopFollowers(): Promise<() => Promise<void>> {
  const client = newClient(database.migrator);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE store IN ACCESS EXCLUSIVE MODE');
  return () => client.end();
}

beforeAll(async () => {
  [database, provider] = await Promise.all([createTestDatabase(), OidcProvider.start([await createKey('ES256')])]);
  token = await provider.sign();
  rows = await CatalogueRows.connect(database.app);
  for (const name of ['team', 'open', 'prefixed']) {
    await rows.addRegistry('default', name);
    await rows.addSource('default', name, 'ours', 0, 'managed');
    await rows.addSource('default', name, 'mirror', 1);
  }
  await rows.publish('default', 'team', 'mirror', [{ name: 'io.example/mirrored', version: '1.0.0' }]);
  await rows.addRegistry('default', 'flat');
  for (const [position, name] of ['ours', 'theirs', 'mirror'].entries()) {
    await rows.addSource('default', 'flat', name, position, name === 'mirror' ? 'git' : 'managed');
  }
  await rows.publish('default', 'open', 'mirror', []);
  await rows.publish('default', 'prefixed', 'mirror', []);
  await rows.publish('default', 'flat', 'mirror', []);
  const providers = [{ name: 'idp', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
  registries = [
    { namespace: 'default', name: 'team', sources: [], auth: oauth({ oauth: { providers } }) },
    { namespace: 'default', name: 'open', sources: [], auth: { mode: 'anonymous' } },
    {
      namespace: 'default',
      name: 'prefixed',
      sources: [],
      namePrefixes: new Map([['ours', ['io.company/', 'io.partner/team-', 'com.company.']]]),
      auth: oauth({ oauth: { providers } }),
    },
    {
      namespace: 'default',
      sources: [],
      name: 'flat',
      views: [
        { name: 'public', sources: ['mirror'] },
        { name: 'inner', sources: ['mirror', 'theirs'] },
        { name: 'both', sources: ['ours', 'theirs'] },
      ],
      auth: oauth({ oauth: { providers } }),
    },
  ];
  apis = [await startLoadedReplica(), await startLoadedReplica()];
});

afterAll(async () => {
  await Promise.all((apis ?? []).map((api) => api.close()));
  await provider?.[Symbol.asyncDispose]();
  await rows?.end();
  await database?.drop();
});

/** Returns a server.json with its own field order and spaces, as a person would write it. */
const server = (name: string, version: string, more = '') =>
  `{ "version": "${version}",\n  "name": "${name}", "description": "Published here"${more} }`;

async function send(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
  replica = apis[0]!,
) {
  const response = await fetch(`${replica.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text() };
}

async function read(path: string, replica = 0): Promise<{ status: number; text: string }> {
  const response = await fetch(`${apis[replica]!.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, text: await response.text() };
}

describe('publishing', () => {
  it('is visible to the publisher at once and on every replica soon, unchanged', async () => {
    const answer = await send('POST', '/registry/ours/v0.1/publish', server('io.example/one', '1.0.0'));
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)._meta).toMatchObject({
      'io.modelcontextprotocol.registry/official': { status: 'active', isLatest: true },
    });
    const path = '/registry/ours/v0.1/servers/io.example%2Fone/versions/latest';
    const { text } = await read(path);
    expect(text).toBe(answer.text);
    expect(text).toContain('"version":"1.0.0","name":"io.example/one","description":"Published here"}');
    await eventually(async () => ((await read(path, 1)).text === answer.text ? true : undefined));
    expect((await read('/v0.1/servers?search=Published')).text).toContain('io.example/one');
  });

  it('waits at most ten seconds for a body', async () => {
    const { hostname, port } = new URL(apis[0]!.url);
    const socket = connect(Number(port), hostname);
    const head = `POST /registry/ours/v0.1/publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}`;
    socket.write(`${head}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 [^]*\r\n\r\n\{"error":"/);
  });

  it('of a version that exists or existed is a conflict', async () => {
    const body = server('io.example/twice', '1.0.0');
    expect((await send('POST', '/registry/ours/v0.1/publish', body)).status).toBe(201);
    expect(await send('POST', '/registry/ours/v0.1/publish', body)).toMatchObject({
      status: 409,
      text: expect.stringContaining('choose another version'),
    });
    const path = '/registry/ours/v0.1/servers/io.example%2Ftwice/versions/1.0.0';
    expect(await send('DELETE', path)).toMatchObject({ status: 200, text: expect.stringContaining('"deleted"') });
    expect((await read(path)).status).toBe(404);
    expect((await read(`${path}?include_deleted=true`)).text).toContain('"status":"deleted"');
    expect((await send('DELETE', path)).status).toBe(404);
    expect((await send('POST', '/registry/ours/v0.1/publish', body)).status).toBe(409);
    expect((await send('POST', '/registry/ours/v0.1/publish', server('io.example/twice', '1.0.1'))).status).toBe(201);
  });

  it('works over the admin API, too', async () => {
    const body = `{"server":${server('io.example/admin', '1.0.0')}}`;
    expect((await send('POST', '/v1/entries', body)).status).toBe(201);
    expect((await send('DELETE', '/v1/entries/server/io.example%2Fadmin/versions/1.0.0')).status).toBe(204);
    expect((await read('/v0.1/servers/io.example%2Fadmin/versions')).status).toBe(404);
  });

  it('returns 200 in the generic API, and 201 below a name', async () => {
    const roots = ['/v0.1', '/v0', '/registry/v0.1', '/registry/v0', '/registry/ours/v0.1', '/registry/ours/v0'];
    const statuses: number[] = [];
    for (const [patch, root] of roots.entries()) {
      statuses.push((await send('POST', `${root}/publish`, server('io.example/rooted', `1.0.${patch}`))).status);
      await send('DELETE', `${root}/servers/io.example%2Frooted/versions/1.0.${patch}`);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 201, 201]);
  });

  it('is counted', async () => {
    const count = async () => {
      const { sources } = JSON.parse((await read('/v1/sources')).text) as {
        sources: { name: string; syncStatus: { serverCount: number } }[];
      };
      return sources.find(({ name }) => name === 'ours')!.syncStatus.serverCount;
    };
    const before = await count();
    await send('POST', '/registry/ours/v0.1/publish', server('io.example/counted', '1.0.0'));
    expect(await count()).toBe(before + 1);
    await send('DELETE', '/registry/ours/v0.1/servers/io.example%2Fcounted/versions/1.0.0');
    expect(await count()).toBe(before);
  });

  it('to a source with entries from elsewhere, or to none, is rejected', async () => {
    const body = server('io.example/no', '1.0.0');
    expect((await send('POST', '/registry/mirror/v0.1/publish', body)).status).toBe(403);
    expect((await send('POST', '/registry/absent/v0.1/publish', body)).status).toBe(404);
    expect((await send('DELETE', '/registry/mirror/v0.1/servers/io.example%2Fmirrored/versions/1.0.0')).status).toBe(
      403,
    );
    expect((await read('/registry/mirror/v0.1/servers/io.example%2Fmirrored/versions/1.0.0')).status).toBe(200);
  });

  it('uses the managed source of the registry for the name of the registry', async () => {
    const body = server('io.example/by-registry', '1.0.0');
    expect((await send('POST', '/registry/team/v0.1/publish', body)).status).toBe(201);
    expect((await read('/registry/ours/v0.1/servers/io.example%2Fby-registry/versions')).status).toBe(200);
    const path = '/registry/team/v0.1/servers/io.example%2Fby-registry/versions/1.0.0';
    expect((await send('DELETE', path)).status).toBe(200);
  });

  it('uses only the sources of a view', async () => {
    const at = (view: string) => `/default/flat/registry/${view}/v0.1`;
    const version = '/servers/io.example%2Fviewed/versions/1.0.0';
    const body = server('io.example/viewed', '1.0.0');
    expect((await send('POST', `${at('public')}/publish`, body)).status).toBe(403);
    for (const view of ['both', 'flat']) {
      expect(await send('POST', `${at(view)}/publish`, body)).toMatchObject({
        status: 400,
        text: expect.stringContaining('(ours, theirs)'),
      });
    }
    expect((await send('POST', `${at('inner')}/publish`, body)).status).toBe(201);
    const { entries } = JSON.parse((await read('/default/flat/v1/sources/theirs/entries')).text) as {
      entries: unknown[];
    };
    expect(entries).toMatchObject([{ name: 'io.example/viewed' }]);
    expect((await send('DELETE', `${at('public')}${version}`)).status).toBe(403);
    expect((await read(`${at('inner')}${version}`)).status).toBe(200);
    expect((await send('DELETE', `${at('inner')}${version}`)).status).toBe(200);
  });

  it.each(['is stuck', 'has nothing yet'])('returns the stored entry while the follower %s', async (state) => {
    const name = `io.example/unseen-${state.replaceAll(' ', '-')}`;
    const path = `/registry/ours/v0.1/servers/${name.replace('/', '%2F')}/versions`;
    await send('POST', '/registry/ours/v0.1/publish', server(name, '2.0.0', ', "title": "Zwei\\u00e4 ä"'));
    const loaded = state === 'is stuck' ? await startLoadedReplica(100) : undefined;
    const release = await stopFollowers();
    const replica = loaded ?? (await startReplica(100));
    let older, removed;
    try {
      older = await send('POST', '/registry/ours/v0.1/publish', server(name, '1.0.0'), {}, replica);
      removed = await send('DELETE', `${path}/2.0.0`, undefined, {}, replica);
    } finally {
      await release();
      await replica.close();
    }
    expect([older.status, removed.status]).toEqual([201, 200]);
    expect(JSON.parse(older.text)._meta).toMatchObject({
      'io.modelcontextprotocol.registry/official': { status: 'active', isLatest: false },
    });
    await expect.poll(async () => (await read(`${path}/2.0.0?include_deleted=true`, 1)).text).toBe(removed.text);
    expect((await read(`${path}/2.0.0`, 1)).status).toBe(404);
    const { text } = await read(`${path}/1.0.0`, 1);
    expect(text).toBe(older.text.replace('"isLatest":false', '"isLatest": true'));
    await send('DELETE', `${path}/1.0.0`);
  });

  it('of an entry that the filter excludes can be undone', async () => {
    await send('POST', '/registry/ours/v0.1/publish', server('io.example/left-out', '1.0.0'));
    await rows.query(`UPDATE entry SET hidden_by = 'names.exclude: *' WHERE name = 'io.example/left-out'`);
    const answer = await send('DELETE', '/registry/ours/v0.1/servers/io.example%2Fleft-out/versions/1.0.0');
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"deleted"') });
  });

  it('without a token, or to an anonymous registry, is rejected', async () => {
    const body = server('io.example/no', '1.0.0');
    expect((await send('POST', '/registry/ours/v0.1/publish', body, { authorization: '' })).status).toBe(401);
    expect((await send('POST', '/default/open/registry/ours/v0.1/publish', body)).status).toBe(403);
    // The type of the body makes no difference.
    const plain = { authorization: '', 'content-type': 'text/plain' };
    expect((await send('POST', '/registry/ours/v0.1/publish', body, plain)).status).toBe(401);
    expect((await send('POST', '/default/open/registry/ours/v0.1/publish', body, plain)).status).toBe(403);
    expect((await send('POST', '/default/open/v1/entries', `{"server":${body}}`)).status).toBe(403);
  });

  it.each([
    ['no JSON', '{"name":', 400, 'valid JSON'],
    ['nothing', '', 400, 'valid JSON'],
    ['a list', '[]', 400, 'server.json'],
    ['two documents', '{} {}', 400, 'valid JSON'],
    ['more behind it', `${server('io.example/a', '1.0.0')},"x":1`, 400, 'the body is not valid JSON'],
    ['a second one behind it', `{},"server":${server('io.example/a', '1.0.0')}`, 400, 'the body is not valid JSON'],
    ['no server', '{}', 422, 'name is missing'],
    [
      'a long description',
      server('io.example/a', '1.0.0', `, "title": "${'t'.repeat(101)}"`),
      422,
      'title must have at most 100',
    ],
    ['a range', server('io.example/a', '^1.0.0'), 422, 'not a range'],
    ['a field twice', server('io.example/a', '1.0.0', ', "version": "2.0.0"'), 422, 'twice'],
    [
      'an empty type of registry',
      server(
        'io.example/a',
        '1.0.0',
        ', "packages": [{"registryType":"","identifier":"x","transport":{"type":"stdio"}}]',
      ),
      422,
      'packages[0].registryType',
    ],
    [
      'an empty $schema',
      server('io.example/a', '1.0.0', ', "$schema": ""'),
      422,
      '$schema must be the URL of a schema',
    ],
  ])('rejects %s and reports the error', async (_, body, status, text) => {
    expect(await send('POST', '/registry/ours/v0.1/publish', body)).toMatchObject({
      status,
      text: expect.stringContaining(text),
    });
  });

  it.each([
    ['claims', (one: string) => `{"server":${one},"claims":{"org":"a"}}`, '"claims" in the body is not supported'],
    ['what it does not know', (one: string) => `{"x":1,"server":${one}}`, '"x" in the body is not supported'],
    ['a skill', () => '{"skill":{}}', '"skill" in the body is not supported'],
    ['two servers', (one: string) => `{"server":${one},"server":${one}}`, '"server" is in the body twice'],
    ['none', () => '{}', '"server" in the body must be'],
    ['no object', () => '[]', '"server" in the body must be'],
    ['more behind it', (one: string) => `{"server":${one}},"x":1`, 'valid JSON'],
  ])('rejects %s in a body of the admin API', async (_, body, text) => {
    const answer = await send('POST', '/v1/entries', body(server('io.example/a', '1.0.0')));
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.text) as { error: string }).error).toContain(text);
    expect((await read('/v0.1/servers/io.example%2Fa/versions')).status).toBe(404);
  });

  it('accepts packages of any registry, like the official schema', async () => {
    const packages = ', "packages": [{"registryType":"tape","identifier":"x","transport":{"type":"stdio"}}]';
    const answer = await send('POST', '/registry/ours/v0.1/publish', server('io.example/tape', '1.0.0', packages));
    expect(answer).toMatchObject({ status: 201, text: expect.stringContaining('"registryType":"tape"') });
    await send('DELETE', '/registry/ours/v0.1/servers/io.example%2Ftape/versions/1.0.0');
  });

  it.each([
    '/registry/ours/v0.1/servers/io.example%2Fone/versions/1%00',
    '/registry/ours/v0.1/servers/io.example%2Fo%00/versions/1.0.0',
    '/registry/ours/v0.1/servers/io.example/o%00/versions/1.0.0',
    '/v0.1/servers/io.example%2Fone/versions/%00',
    '/v1/entries/server/io.example%2Fone/versions/%00',
    '/v1/entries/server/%00/versions/1.0.0',
  ])('finds no version at %s to delete', async (path) => {
    expect((await send('DELETE', path)).status).toBe(404);
  });

  it('accepts only JSON', async () => {
    const body = server('io.example/a', '1.0.0');
    expect((await send('POST', '/registry/ours/v0.1/publish', body, { 'content-type': 'text/plain' })).status).toBe(
      415,
    );
  });
});

describe('the status of a published entry', () => {
  const NAME = 'io.example%2Fold';
  const patch = (path: string, body: object | string, root = '/registry/ours/v0.1') =>
    send('PATCH', `${root}/servers/${path}/status`, typeof body === 'string' ? body : JSON.stringify(body));
  const meta = (answer: string) =>
    (JSON.parse(answer) as { _meta: Record<string, object> })._meta['io.modelcontextprotocol.registry/official'];

  beforeAll(async () => {
    for (const version of ['1.0.0', '1.1.0', '2.0.0']) {
      await send('POST', '/registry/ours/v0.1/publish', server('io.example/old', version));
    }
  });

  it.each(['/registry/ours/v0.1', '/registry/ours/v0', '/v0.1', '/v0', '/registry/v0.1'])(
    'changes for one version at %s',
    async (root) => {
      const version = `${NAME}/versions/1.0.0`;
      const deprecated = await patch(version, { status: 'deprecated', statusMessage: 'use 2' }, root);
      expect(deprecated.status).toBe(200);
      expect(meta(deprecated.text)).toMatchObject({ status: 'deprecated', statusMessage: 'use 2', isLatest: false });
      expect((await read(`${root}/servers/${version}`)).text).toBe(deprecated.text);
      const deleted = await patch(version, { status: 'deleted', statusMessage: 'harmful' }, root);
      expect(meta(deleted.text)).toMatchObject({ status: 'deleted', statusMessage: 'harmful' });
      expect((await read(`${root}/servers/${version}`)).status).toBe(404);
      expect((await read(`${root}/servers/${version}?include_deleted=true`)).text).toBe(deleted.text);
      const active = await patch(version, { status: 'active' }, root);
      expect(meta(active.text)).toMatchObject({ status: 'active' });
      expect(meta(active.text)).not.toHaveProperty('statusMessage');
      expect((await read(`${root}/servers/${version}`)).text).toBe(active.text);
    },
  );

  it('changes for all versions at once, and of those only for the ones that differ', async () => {
    await patch(`${NAME}/versions/1.1.0`, { status: 'deprecated' });
    const changed = await patch('io.example/old', { status: 'deprecated' });
    expect(changed.status).toBe(200);
    const { updatedCount, servers } = JSON.parse(changed.text) as { updatedCount: number; servers: unknown[] };
    expect(updatedCount).toBe(2);
    expect(servers).toMatchObject([{ server: { version: '1.0.0' } }, { server: { version: '2.0.0' } }]);
    expect((await patch(NAME, { status: 'deleted' })).status).toBe(200);
    expect((await read(`/v0.1/servers/${NAME}/versions`)).status).toBe(404);
    const restored = await patch(NAME, { status: 'active' });
    expect(JSON.parse(restored.text)).toMatchObject({ updatedCount: 3 });
    expect(JSON.parse((await read(`/v0.1/servers/${NAME}/versions`)).text)).toMatchObject({ metadata: { count: 3 } });
  });

  describe('of many versions', () => {
    const MIB = 1024 ** 2;
    const refusal = { status: 409, text: expect.stringContaining('change them version by version') };

    /** Stores versions first.0.0 to last.0.0 of a server, each with a document of `bytes` bytes. */
    async function store(name: string, [first, last]: readonly [number, number], bytes: number, hiddenBy?: string) {
      await rows.query(
        `WITH source AS (
           UPDATE source SET generation = generation + 1, synced_at = now()
            WHERE namespace = 'default' AND registry = 'team' AND name = 'ours' RETURNING id)
         INSERT INTO entry (source_id, name, version, key, hash, server_json, description, status, published_at,
                            updated_at, status_changed_at, tags, facets, hidden_by)
         SELECT id, $1, version, $1, '', head || repeat('x', $4 - length(head) - 2) || '"}', 'Stored', 'active', now(),
                now(), now(), '{}', '{}', $5
           FROM source, generate_series($2::int, $3::int) AS major, format('%s.0.0', major) AS version,
                format('{"name":"%s","version":"%s","description":"', $1::text, version) AS head`,
        [name, first, last, bytes, hiddenBy ?? null],
      );
      await rows.notify('default', 'team');
    }

    const statusesOf = (name: string) =>
      rows.read(`SELECT status, count(*)::int FROM entry WHERE name = '${name}' GROUP BY status ORDER BY status`);

    it.each([
      ['100 versions', 'io.example/numerous', 100, 1024],
      ['8 MiB', 'io.example/heavy', 8, MIB],
    ])('changes at most %s at once, and otherwise nothing', async (_, name, count, bytes) => {
      await store(name, [1, count], bytes);
      const [changed, other] = await Promise.all([
        patch(name, { status: 'deprecated' }),
        send('POST', '/registry/ours/v0.1/publish', server(`${name}-other`, '1.0.0')),
      ]);
      expect([changed.status, other.status]).toEqual([200, 201]);
      const { updatedCount, servers } = JSON.parse(changed.text) as { updatedCount: number; servers: object[] };
      expect([updatedCount, servers.length]).toEqual([count, count]);
      await store(name, [count + 1, count + 1], 200);
      // The new version alone differs.
      expect(JSON.parse((await patch(name, { status: 'deprecated' })).text)).toMatchObject({ updatedCount: 1 });
      expect(await patch(name, { status: 'deleted' })).toMatchObject(refusal);
      expect(await patch(name, { status: 'active' })).toMatchObject(refusal);
      expect(await statusesOf(name)).toEqual([{ status: 'deprecated', count: count + 1 }]);
      expect((await patch(`${name}/versions/1.0.0`, { status: 'active' })).status).toBe(200);
      expect(JSON.parse((await patch(name, { status: 'active' })).text)).toMatchObject({ updatedCount: count });
    });

    it('returns what is served, even next to a hidden version', async () => {
      const name = 'io.example/half-hidden';
      await store(name, [8, 9], 200);
      await store(name, [10, 11], 200, 'names');
      const { servers } = JSON.parse((await patch(name, { status: 'deprecated' })).text) as { servers: object[] };
      const official = (isLatest: boolean) => ({
        'io.modelcontextprotocol.registry/official': { status: 'deprecated', isLatest },
      });
      expect(servers).toMatchObject([
        { server: { version: '10.0.0' }, _meta: official(false) },
        { server: { version: '11.0.0' }, _meta: official(true) },
        { server: { version: '8.0.0' }, _meta: official(false) },
        { server: { version: '9.0.0' }, _meta: official(true) },
      ]);
      const served = await read('/registry/ours/v0.1/servers/io.example%2Fhalf-hidden/versions/9.0.0');
      expect(JSON.parse(served.text)).toEqual(servers[3]);
    });
  });

  it.each([
    ['no JSON', '{', 400, 'valid JSON'],
    ['a list', '[]', 400, 'the body must be an object'],
    ['nothing', '{}', 400, 'status'],
    ['an unknown status', '{"status":"retired"}', 400, 'status must be one of active, deprecated, deleted'],
    ['another member', '{"status":"deprecated","reason":"x"}', 400, 'reason'],
    ['a reason for being active', '{"status":"active","statusMessage":"x"}', 400, 'statusMessage'],
    ['a long message', `{"status":"deprecated","statusMessage":"${'x'.repeat(501)}"}`, 400, 'at most 500'],
    ['a NUL', '{"status":"deprecated","statusMessage":"\\u0000"}', 400, 'NUL'],
    ['no change', '{"status":"active"}', 400, 'nothing would change'],
  ])('rejects %s', async (_, body, status, text) => {
    const answer = await patch(`${NAME}/versions/2.0.0`, body);
    expect(answer).toMatchObject({ status, text: expect.stringContaining(text) });
  });

  it('does not exist for what is not published, not managed, or private', async () => {
    const body = { status: 'deprecated' };
    expect((await patch(`${NAME}/versions/9.9.9`, body)).status).toBe(404);
    expect((await patch('io.example%2Fnone', body)).status).toBe(404);
    expect((await patch('io.example%2Fo%00', body)).status).toBe(404);
    expect((await patch('io.example%2Fmirrored/versions/1.0.0', body, '/registry/mirror/v0.1')).status).toBe(403);
    expect((await patch(NAME, body, '/default/open/registry/ours/v0.1')).status).toBe(403);
    const path = `/registry/ours/v0.1/servers/${NAME}/status`;
    expect((await send('PATCH', path, JSON.stringify(body), { authorization: '' })).status).toBe(401);
  });

  it('is the only change of a published version: replacing it is not supported, according to the preflight', async () => {
    for (const name of [NAME, 'io.example/old']) {
      const path = `/registry/ours/v0.1/servers/${name}/versions/1.0.0`;
      const answer = await send('PUT', path, server('io.example/old', '1.0.0'));
      expect([answer.status, JSON.parse(answer.text)]).toEqual([501, { error: expect.stringContaining('status') }]);
    }
    const preflight = await fetch(`${apis[0]!.url}/v0.1/servers/${NAME}/status`, { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PATCH, DELETE, OPTIONS');
  });
});

describe('validation', () => {
  const validate = async (body: string, headers: Record<string, string> = {}, path = '/v0/validate') => {
    const answer = await send('POST', path, body, { authorization: '', ...headers });
    return { status: answer.status, body: JSON.parse(answer.text) as { valid?: boolean; issues?: object[] } };
  };

  it.each(['/v0/validate', '/v0.1/validate', '/registry/ours/v0.1/validate', '/default/open/v0/validate'])(
    'needs no login and stores nothing: %s',
    async (path) => {
      expect(await validate(server('io.example/checked', '1.0.0'), {}, path)).toEqual({
        status: 200,
        body: { valid: true, issues: [] },
      });
      expect((await read('/v0.1/servers/io.example%2Fchecked/versions')).status).toBe(404);
    },
  );

  it('lists every error with its path', async () => {
    const { status, body } = await validate(
      server('io.example/a', '^1.0.0', ', "websiteUrl": "x", "packages": [{"registryType":"npm","identifier":"x"}]'),
    );
    expect([status, body.valid]).toEqual([200, false]);
    const issue = { type: 'schema', severity: 'error', message: expect.any(String), reference: expect.any(String) };
    expect(body.issues).toEqual(
      expect.arrayContaining(['version', 'websiteUrl', 'packages[0].transport'].map((path) => ({ ...issue, path }))),
    );
  });

  it('reports a body that is not JSON, and accepts at most 1 MiB', async () => {
    expect(await validate('{')).toEqual({
      status: 200,
      body: { valid: false, issues: [expect.objectContaining({ type: 'json', path: '' })] },
    });
    expect((await validate('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await validate(' '.repeat(1024 * 1024 + 1))).status).toBe(413);
  });

  it('reads sixteen bodies at a time, and rejects more until one is read', async () => {
    const { hostname, port } = new URL(apis[0]!.url);
    const head =
      'POST /v0/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
    const sockets = Array.from({ length: 16 }, () => connect(Number(port), hostname));
    for (const socket of sockets) socket.write(head);
    await expect.poll(async () => (await validate('{}')).status).toBe(503);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await validate('{}')).status).toBe(200);
  });
});

it('a server has at most 10,000 versions, deleted ones included', async () => {
  const name = 'io.example/versions';
  await rows.query(
    `INSERT INTO entry (source_id, name, version, key, hash, server_json, description, status, published_at,
                        updated_at, status_changed_at, deleted_at, tags, facets)
     SELECT id, $1, '0.0.' || number, $1, '', '{}', '', 'active', now(), now(), now(), now(), '{}', '{}'
       FROM source, generate_series(1, 9999) AS number
      WHERE namespace = 'default' AND registry = 'team' AND name = 'ours'`,
    [name],
  );
  expect((await send('POST', '/registry/ours/v0.1/publish', server(name, '1.0.0'))).status).toBe(201);
  const refused = await send('POST', '/registry/ours/v0.1/publish', server(name, '1.0.1'));
  expect(refused.status).toBe(409);
  expect(refused.text).toContain('10000 versions, deleted ones included');
  await rows.query('DELETE FROM entry WHERE name = $1', [name]);
});

describe('the publisher of an entry', () => {
  it('is stored, shown with the hash of the body, and audited', async () => {
    const ann = await provider.sign({ sub: 'ann' });
    const body = server('io.example/signed', '1.0.0');
    await send('POST', '/registry/ours/v0.1/publish', body, { authorization: `Bearer ${ann}` });
    const sha256 = hash('sha256', body);
    const { entries } = JSON.parse((await read('/v1/sources/ours/entries?limit=1000')).text) as {
      entries: { name: string; versions: object[] }[];
    };
    const publishedBy = { provider: 'idp', subject: 'ann' };
    expect(entries.find(({ name }) => name === 'io.example/signed')?.versions).toMatchObject([{ publishedBy, sha256 }]);
    const path = '/registry/ours/v0.1/servers/io.example%2Fsigned';
    await send('PATCH', `${path}/status`, '{"status":"deprecated"}', { authorization: `Bearer ${ann}` });
    await send('DELETE', `${path}/versions/1.0.0`);
    const written = log.filter(({ log: of, name }) => of === 'audit' && name === 'io.example/signed');
    const common = { registry: 'default/team', source: 'ours', provider: 'idp', requestId: expect.any(String) };
    expect(written).toMatchObject([
      { ...common, msg: 'entry published', subject: 'ann', version: '1.0.0', sha256 },
      { ...common, msg: 'entry status changed', subject: 'ann', versions: ['1.0.0'], status: 'deprecated' },
      { ...common, msg: 'entry status changed', subject: 'editor', versions: ['1.0.0'], status: 'deleted' },
    ]);
  });

  it('must use a name with a prefix of the source, if that has prefixes', async () => {
    const publish = (name: string) =>
      send('POST', '/default/prefixed/registry/ours/v0.1/publish', server(name, '1.0.0'));
    for (const name of ['io.company/tool', 'io.partner/team-tool', 'com.company.tools/x']) {
      expect([name, (await publish(name)).status]).toEqual([name, 201]);
    }
    for (const name of ['io.company.evil/tool', 'io.partner/tool', 'com.company/x', 'IO.company/x', 'com.companyx/y']) {
      const answer = await publish(name);
      expect([name, answer.status]).toEqual([name, 403]);
      expect(answer.text).toContain('begin with io.company/ or io.partner/team- or com.company.');
    }
  });
});

it('cannot write before it knows whether what is stored belongs to the registry', async () => {
  const [team] = registries;
  const letGo = await stopFollowers();
  const foreign = await startReplica(100, [{ ...team!, uid: randomUUID(), sources: ['ours'] }]);
  try {
    const body = server('io.example/early', '1.0.0');
    const refused = await send('POST', '/registry/ours/v0.1/publish', body, {}, foreign);
    expect(refused.status).toBe(503);
    expect(await rows.read(`SELECT FROM entry WHERE name = 'io.example/early'`)).toEqual([]);
  } finally {
    await letGo();
    await foreign.close();
  }
});

it('cannot write for another resource of the same name, and sees nothing of it', async () => {
  const [team] = registries;
  const foreign = await startLoadedReplica(100, [{ ...team!, uid: randomUUID(), sources: ['ours'] }]);
  try {
    const states = () =>
      Promise.all([rows.read('SELECT count(*)::int AS n FROM entry'), rows.read('SELECT held_confirmed FROM source')]);
    const before = await states();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const ask = async (path: string, body?: string) => {
      const request = { headers, ...(body !== undefined && { method: 'POST', body }) };
      return (await fetch(`${foreign.url}${path}`, request)).status;
    };
    expect(await ask('/registry/ours/v0.1/publish', server('io.example/foreign', '1.0.0'))).toBe(503);
    expect(await ask('/v1/sources/ours/sync', '')).toBe(503);
    expect(await ask('/registry/ours/v0.1/servers')).toBe(503);
    expect(await ask('/v0.1/servers')).toBe(503);
    expect(foreign.ready()).toMatchObject({ ready: false });
    expect(await states()).toEqual(before);
  } finally {
    await foreign.close();
  }
});
