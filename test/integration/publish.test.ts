import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CatalogueNotLoaded } from '#registry-api/catalogue/catalogue-reader.js';
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
/** Two replicas over one database. */
let apis: RegistryApi[];

async function startReplica(registries: readonly ServedRegistry[]): Promise<RegistryApi> {
  const api = await startRegistryApi({
    ...ALONE,
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: servedRegistries(registries),
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-24' },
    logger: pino({ level: 'silent' }),
  });
  await api.catalogue.nextChange();
  return api;
}

beforeAll(async () => {
  [database, provider] = await Promise.all([createTestDatabase(), OidcProvider.start([await createKey('ES256')])]);
  token = await provider.sign();
  rows = await CatalogueRows.connect(database.app);
  for (const name of ['team', 'open']) {
    await rows.addRegistry('default', name);
    await rows.addSource('default', name, 'ours', 0, 'managed');
    await rows.addSource('default', name, 'mirror', 1);
  }
  await rows.publish('default', 'team', 'mirror', [{ name: 'io.example/mirrored', version: '1.0.0' }]);
  await rows.addRegistry('default', 'flat');
  for (const [position, name] of ['ours', 'theirs', 'mirror'].entries()) {
    await rows.addSource('default', 'flat', name, position, name === 'mirror' ? 'git' : 'managed');
  }
  const providers = [{ name: 'idp', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
  const registries: ServedRegistry[] = [
    { namespace: 'default', name: 'team', sources: [], auth: oauth({ oauth: { providers } }) },
    { namespace: 'default', name: 'open', sources: [], auth: { mode: 'anonymous' } },
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
  apis = [await startReplica(registries), await startReplica(registries)];
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  await Promise.all((apis ?? []).map((api) => api.close()));
  await provider?.[Symbol.asyncDispose]();
  await rows?.end();
  await database?.drop();
});

/** In its own order and with blanks, as a person would write it. */
const server = (name: string, version: string, more = '') =>
  `{ "version": "${version}",\n  "name": "${name}", "description": "Published here"${more} }`;

async function send(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${apis[0]!.url}${path}`, {
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
  // Who publishes is answered once the replica shows it, or after a while: which is never over while the clock stands.
  beforeEach(() => void vi.spyOn(Date, 'now').mockReturnValue(Date.now()));

  it('is seen by who published at once and on every replica soon, in its own words', async () => {
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

  it('waits ten seconds for a body, and no longer', async () => {
    const { hostname, port } = new URL(apis[0]!.url);
    const socket = connect(Number(port), hostname);
    const head = `POST /registry/ours/v0.1/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}`;
    socket.write(`${head}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 [^]*\r\n\r\n\{"error":"/);
  });

  it('of a version that is or was there is a conflict', async () => {
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

  it('goes by the admin API too', async () => {
    const body = `{"server":${server('io.example/admin', '1.0.0')}}`;
    expect((await send('POST', '/v1/entries', body)).status).toBe(201);
    expect((await send('DELETE', '/v1/entries/server/io.example%2Fadmin/versions/1.0.0')).status).toBe(204);
    expect((await read('/v0.1/servers/io.example%2Fadmin/versions')).status).toBe(404);
  });

  it('is told with 200 by the generic API, and with 201 below a name', async () => {
    const roots = ['/v0.1', '/v0', '/registry/v0.1', '/registry/v0', '/registry/ours/v0.1', '/registry/ours/v0'];
    const statuses: number[] = [];
    for (const [patch, root] of roots.entries()) {
      statuses.push((await send('POST', `${root}/publish`, server('io.example/rooted', `1.0.${patch}`))).status);
      await send('DELETE', `${root}/servers/io.example%2Frooted/versions/1.0.${patch}`);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 201, 201]);
  });

  it('counts what it did', async () => {
    const { sources } = JSON.parse((await read('/v1/sources')).text) as {
      sources: { name: string; syncStatus: object }[];
    };
    expect(sources.find(({ name }) => name === 'ours')?.syncStatus).toMatchObject({ serverCount: 2 });
  });

  it('to a source that has its entries from elsewhere, or to none, is refused', async () => {
    const body = server('io.example/no', '1.0.0');
    expect((await send('POST', '/registry/mirror/v0.1/publish', body)).status).toBe(403);
    expect((await send('POST', '/registry/absent/v0.1/publish', body)).status).toBe(404);
    expect((await send('DELETE', '/registry/mirror/v0.1/servers/io.example%2Fmirrored/versions/1.0.0')).status).toBe(
      403,
    );
    expect((await read('/registry/mirror/v0.1/servers/io.example%2Fmirrored/versions/1.0.0')).status).toBe(200);
  });

  it('goes by the name of the registry to its managed source', async () => {
    const body = server('io.example/by-registry', '1.0.0');
    expect((await send('POST', '/registry/team/v0.1/publish', body)).status).toBe(201);
    expect((await read('/registry/ours/v0.1/servers/io.example%2Fby-registry/versions')).status).toBe(200);
    const path = '/registry/team/v0.1/servers/io.example%2Fby-registry/versions/1.0.0';
    expect((await send('DELETE', path)).status).toBe(200);
  });

  it('goes to the sources of a view and to no other', async () => {
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

  it.each([
    ['is busy', () => vi.spyOn(apis[0]!.catalogue, 'replace').mockReturnValue()],
    [
      'has nothing yet',
      () =>
        vi.spyOn(apis[0]!.catalogue, 'reader').mockImplementation(() => {
          throw new CatalogueNotLoaded();
        }),
    ],
  ])('is told as it was stored while the follower %s', async (state, disturb) => {
    // Here the while is to be over.
    vi.restoreAllMocks();
    const name = `io.example/unseen-${state.replaceAll(' ', '-')}`;
    const path = `/registry/ours/v0.1/servers/${name.replace('/', '%2F')}/versions`;
    await send('POST', '/registry/ours/v0.1/publish', server(name, '2.0.0', ', "title": "Zwei\\u00e4 ä"'));
    const disturbance = disturb();
    const older = await send('POST', '/registry/ours/v0.1/publish', server(name, '1.0.0'));
    const removed = await send('DELETE', `${path}/2.0.0`);
    disturbance.mockRestore();
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

  it('of what the filter leaves out can be taken back all the same', async () => {
    await send('POST', '/registry/ours/v0.1/publish', server('io.example/left-out', '1.0.0'));
    await rows.query(`UPDATE entry SET hidden_by = 'names.exclude: *' WHERE name = 'io.example/left-out'`);
    const answer = await send('DELETE', '/registry/ours/v0.1/servers/io.example%2Fleft-out/versions/1.0.0');
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"deleted"') });
  });

  it('without a token, or to an anonymous registry, is refused', async () => {
    const body = server('io.example/no', '1.0.0');
    expect((await send('POST', '/registry/ours/v0.1/publish', body, { authorization: '' })).status).toBe(401);
    expect((await send('POST', '/default/open/registry/ours/v0.1/publish', body)).status).toBe(403);
    // Whatever the body is.
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
      'another registry',
      server(
        'io.example/a',
        '1.0.0',
        ', "packages": [{"registryType":"tape","identifier":"x","transport":{"type":"stdio"}}]',
      ),
      422,
      'packages[0].registryType',
    ],
  ])('refuses %s and says what is wrong', async (_, body, status, text) => {
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
  ])('refuses %s in a body of the admin API', async (_, body, text) => {
    const answer = await send('POST', '/v1/entries', body(server('io.example/a', '1.0.0')));
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.text) as { error: string }).error).toContain(text);
    expect((await read('/v0.1/servers/io.example%2Fa/versions')).status).toBe(404);
  });

  it.each([
    '/registry/ours/v0.1/servers/io.example%2Fone/versions/1%00',
    '/registry/ours/v0.1/servers/io.example%2Fo%00/versions/1.0.0',
    '/registry/ours/v0.1/servers/io.example/o%00/versions/1.0.0',
    '/v0.1/servers/io.example%2Fone/versions/%00',
    '/v1/entries/server/io.example%2Fone/versions/%00',
    '/v1/entries/server/%00/versions/1.0.0',
  ])('knows of no version at %s to take back', async (path) => {
    expect((await send('DELETE', path)).status).toBe(404);
  });

  it('takes JSON only', async () => {
    const body = server('io.example/a', '1.0.0');
    expect((await send('POST', '/registry/ours/v0.1/publish', body, { 'content-type': 'text/plain' })).status).toBe(
      415,
    );
  });
});
