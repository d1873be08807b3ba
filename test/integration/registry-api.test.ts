import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const OPEN: ServedRegistry = { namespace: 'default', name: 'open', sources: [], auth: { mode: 'anonymous' } };
const CLOSED: ServedRegistry = { namespace: 'default', name: 'closed', sources: [], auth: NOBODY_IN };
/** A registry with a namespace and a name that are also words in routes. */
const AWKWARD: ServedRegistry = {
  namespace: 'registry',
  name: 'registry',
  sources: ['registry'],
  auth: { mode: 'anonymous' },
};

let database: TestDatabase;
let rows: CatalogueRows;
let api: RegistryApi;

function options(overrides: Partial<RegistryApiOptions> = {}): RegistryApiOptions {
  return apiOptions(database.app, [OPEN, CLOSED, AWKWARD], overrides);
}

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  for (const { namespace, name } of [OPEN, CLOSED, AWKWARD]) await rows.addRegistry(namespace, name);
  await rows.addSource('default', 'open', 'first', 0);
  await rows.addSource('default', 'open', 'v0.1', 1);
  await rows.addSource('default', 'closed', 'first');
  await rows.addSource('registry', 'registry', 'registry');
  await rows.publish('default', 'open', 'first', FIRST);
  await rows.publish('default', 'open', 'v0.1', SECOND);
  await rows.publish('default', 'closed', 'first', FIRST);
  await rows.publish('registry', 'registry', 'registry', [{ name: 'io.awkward/one', version: '1.0.0' }]);
  api = await startRegistryApi(options());
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await rows?.end();
  await database?.drop();
});

const FIRST: EntryRow[] = [
  { name: 'a/versions', version: '1.0.0' },
  { name: 'io.example/100%_sure', version: '1.0.0', description: 'Literal signs' },
  {
    name: 'io.example/both',
    version: '1.0.0',
    title: 'Both of First',
    tags: ['web', 'wiki'],
    facets: ['package', 'remote', 'transport:stdio', 'transport:sse', 'registry-type:npm'],
  },
  { name: 'io.example/gone', version: '1.0.0', deletedAt: '2026-03-01T00:00:00Z' },
  { name: 'io.example/hidden', version: '1.0.0', hiddenBy: 'names.exclude: *hidden' },
  {
    name: 'io.example/many',
    version: '1.10.0',
    publishedAt: '2026-02-01T00:00:00Z',
    tags: ['web'],
    facets: ['remote', 'transport:sse', 'secret-free'],
  },
  { name: 'io.example/many', version: '1.9.0', publishedAt: '2026-02-03T00:00:00Z' },
  { name: 'io.example/many', version: '2.0.0', publishedAt: '2026-02-02T00:00:00Z', deletedAt: '2026-02-04T00:00:00Z' },
  { name: 'io.example/many', version: '1.9.0+build.5', publishedAt: '2026-02-03T00:00:00Z', status: 'deprecated' },
  { name: `io.long/${'n'.repeat(192)}`, version: '1.0.0' },
];

const SECOND: EntryRow[] = [
  { name: 'io.example/both', version: '2.0.0', title: 'Both of Second' },
  { name: 'io.example/gone', version: '0.9.0' },
  { name: 'io.second/only', version: '1.0.0', description: 'A Weather server' },
];

interface ServerList {
  servers: { server: { name: string; version: string }; _meta: Record<string, Record<string, unknown>> }[];
  metadata: { count: number; nextCursor?: string };
}

const get = (path: string, init?: RequestInit) => fetch(`${api.url}${path}`, init);

const FACETS = 'x/io.github.mcp-registry-operator/facets';

describe('the facets of a list', () => {
  const facetsOf = async (path: string) => {
    const response = await get(path);
    const body = (await response.json()) as { total: number; facets: Record<string, unknown> };
    const total = (await get(path.replace(FACETS, 'servers'))).headers.get('x-total-count');
    expect(body.total).toBe(Number(total));
    return body.facets;
  };

  it('are counted for each API root, by the source of an entry', async () => {
    expect(await facetsOf(`/v0.1/${FACETS}?version=latest`)).toMatchObject({
      source: [
        { value: 'first', count: 5 },
        { value: 'v0.1', count: 2 },
      ],
      status: [{ value: 'active', count: 7 }],
      tag: [
        { value: 'web', count: 2 },
        { value: 'wiki', count: 1 },
      ],
    });
    for (const root of ['/registry/v0', '/default/open/v0.1']) {
      expect(await facetsOf(`${root}/${FACETS}?version=latest&source=v0.1`)).toMatchObject({ tag: [] });
    }
    expect(await facetsOf(`/registry/first/v0.1/${FACETS}?source=first&transport=stdio,sse`)).toMatchObject({
      source: [{ value: 'first', count: 2 }],
      transport: [
        { value: 'sse', count: 2 },
        { value: 'stdio', count: 1 },
      ],
    });
    expect((await get(`/registry/nothing/v0.1/${FACETS}`)).status).toBe(404);
    expect((await get(`/v0.1/${FACETS}?remote=perhaps`)).status).toBe(400);
  });

  it('have the tag of the list, with which they are revalidated', async () => {
    const { headers } = await get(`/v0.1/${FACETS}`, { headers: { 'accept-encoding': 'identity' } });
    expect(headers.get('etag')).toBe(
      (await get('/v0.1/servers', { method: 'HEAD', headers: { 'accept-encoding': 'identity' } })).headers.get('etag'),
    );
    const again = await get(`/v0.1/${FACETS}`, { headers: { 'if-none-match': headers.get('etag') as string } });
    expect(again.status).toBe(304);
  });

  it('are as private as the list', async () => {
    expect((await get(`/default/closed/v0.1/${FACETS}`)).status).toBe(401);
  });
});

describe('a registry that consists of views', () => {
  const served: ServedRegistry = {
    ...OPEN,
    views: [
      { name: 'both', sources: ['v0.1', 'first'] },
      { name: 'one', sources: ['v0.1'] },
    ],
  };

  it('serves each by its name; the first source of the view with a server takes precedence', async () => {
    const viewed = await startRegistryApi(options({ registries: onlyRegistry(served) }));
    try {
      await viewed.catalogue.nextChange();
      const list = async (name: string) => {
        const response = await fetch(`${viewed.url}/registry/${name}/v0.1/servers`);
        return response.ok
          ? ((await response.json()) as ServerList).servers.map(({ server }) => server)
          : response.status;
      };
      expect(await list('one')).toMatchObject([
        { name: 'io.example/both' },
        { name: 'io.example/gone' },
        { name: 'io.second/only' },
      ]);
      const both = await list('both');
      expect(both).toContainEqual(expect.objectContaining({ name: 'io.example/both', version: '2.0.0' }));
      expect(both).toContainEqual(expect.objectContaining({ name: 'a/versions' }));
      // The same as in the order of the spec, in which the other source comes first.
      expect(await list('open')).toContainEqual(expect.objectContaining({ name: 'io.example/both', version: '1.0.0' }));
      expect(await list('first')).toBe(404);
    } finally {
      await viewed.close();
    }
  });
});

async function list(path: string): Promise<{ names: string[]; nextCursor: string | undefined; body: ServerList }> {
  const response = await get(path);
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
  const body = (await response.json()) as ServerList;
  expect(body.metadata.count).toBe(body.servers.length);
  const names = body.servers.map(({ server }) => `${server.name}@${server.version}`);
  return { names, nextCursor: body.metadata.nextCursor, body };
}

async function walk(path: string, limit: number): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: Awaited<ReturnType<typeof list>> = await list(`${path}&limit=${limit}&cursor=${cursor}`);
    names.push(...page.names);
    cursor = page.nextCursor;
  }
  return names;
}

async function fault(path: string, init?: RequestInit): Promise<{ status: number; error: unknown }> {
  const response = await get(path, init);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return { status: response.status, ...((await response.json()) as { error: unknown }) };
}

/** Makes this the only entry of the awkward registry, and waits until the API serves it. */
async function publishAwkward(entry: EntryRow): Promise<void> {
  const reader = () => api.catalogue.reader({ namespace: 'registry', registry: 'registry' });
  const before = reader();
  await rows.publish('registry', 'registry', 'registry', [entry]);
  while (reader() === before) await api.catalogue.nextChange();
}

async function until<T>(look: () => T | Promise<T>, wanted: (seen: T) => boolean): Promise<void> {
  await expect.poll(async () => wanted(await look())).toBe(true);
}

const many = encodeURIComponent('io.example/many');

describe('the list of servers', () => {
  it('is sorted by name and version, without hidden and deleted entries', async () => {
    const { names, nextCursor } = await list('/registry/first/v0.1/servers');
    expect(names).toEqual([
      'a/versions@1.0.0',
      'io.example/100%_sure@1.0.0',
      'io.example/both@1.0.0',
      'io.example/many@1.10.0',
      'io.example/many@1.9.0',
      'io.example/many@1.9.0+build.5',
      `io.long/${'n'.repeat(192)}@1.0.0`,
    ]);
    expect(nextCursor).toBeUndefined();
  });

  it('contains the official registry block of every entry', async () => {
    const { body } = await list('/registry/first/v0.1/servers?search=many&include_deleted=true');
    expect(body.servers.map(({ _meta }) => _meta['io.modelcontextprotocol.registry/official'])).toEqual([
      official('active', '2026-02-01', '2026-02-01', true),
      official('active', '2026-02-03', '2026-02-03', false),
      official('deprecated', '2026-02-03', '2026-02-03', false),
      official('deleted', '2026-02-02', '2026-02-04', false),
    ]);
  });

  const official = (status: string, published: string, updated: string, isLatest: boolean) => ({
    status,
    statusChangedAt: `${updated}T00:00:00.000Z`,
    publishedAt: `${published}T00:00:00.000Z`,
    updatedAt: `${updated}T00:00:00.000Z`,
    isLatest,
  });

  it('contains every entry once, whatever the page size', async () => {
    const whole = (await list('/v0.1/servers')).names;
    for (const limit of [1, 2, 3, whole.length, whole.length + 1]) {
      expect(await walk('/v0.1/servers?', limit)).toEqual(whole);
    }
  });

  it('searches literally and case-insensitively in name, title and description', async () => {
    expect((await list('/v0.1/servers?search=%25_')).names).toEqual(['io.example/100%_sure@1.0.0']);
    expect((await list('/v0.1/servers?search=b_th')).names).toEqual([]);
    expect((await list('/v0.1/servers?search=WEATHER')).names).toEqual(['io.second/only@1.0.0']);
    expect((await list('/v0.1/servers?search=both+of')).names).toEqual(['io.example/both@1.0.0']);
  });

  it('keeps a search across its pages although only the cursor is sent (VS Code)', async () => {
    const first = await list('/v0.1/servers?limit=1&search=example&version=latest');
    expect(first.names).toEqual(['io.example/100%_sure@1.0.0']);
    const second = await list(`/v0.1/servers?limit=9&cursor=${first.nextCursor}`);
    expect(second.names).toEqual(['io.example/both@1.0.0', 'io.example/gone@0.9.0', 'io.example/many@1.10.0']);
  });

  it('accepts a version, or the latest by precedence', async () => {
    expect((await list('/registry/first/v0.1/servers?version=1.9.0')).names).toEqual(['io.example/many@1.9.0']);
    expect((await list('/registry/first/v0.1/servers?version=9')).names).toEqual([]);
    expect((await list('/registry/first/v0.1/servers?version=latest&search=many')).names).toEqual([
      'io.example/many@1.10.0',
    ]);
  });

  it('includes removals for clients that request changes', async () => {
    const since = encodeURIComponent('2026-02-03T01:00:00+01:00');
    const changed = ['io.example/gone@1.0.0', 'io.example/many@2.0.0'];
    expect((await list(`/registry/first/v0.1/servers?updated_since=${since}`)).names).toEqual(changed);
    expect((await fault(`/registry/first/v0.1/servers?updated_since=${since}&include_deleted=false`)).status).toBe(400);
  });

  it('is filtered by tag, transport, registry type, remote and secrets', async () => {
    const both = 'io.example/both@1.0.0';
    const many = 'io.example/many@1.10.0';
    for (const [query, expected] of [
      ['tag=web', [both, many]],
      ['tag=web,wiki', [both]],
      ['tag=no+such', []],
      ['transport=stdio', [both]],
      ['registry_type=npm', [both]],
      ['remote=true', [both, many]],
      ['remote=only', [many]],
      ['needs_secret=false', [many]],
      ['needs_secret=true&tag=wiki', [both]],
    ] as const) {
      expect([query, (await list(`/registry/first/v0.1/servers?${query}`)).names]).toEqual([query, expected]);
    }
    for (const query of ['transport=pigeon', 'remote=maybe', 'needs_secret=x', 'tag=a&tag=b']) {
      expect([query, (await fault(`/v0.1/servers?${query}`)).status]).toEqual([query, 400]);
    }
  });

  it('limits a large page size and ignores unknown parameters', async () => {
    expect((await list('/v0.1/servers?limit=99999999999999999999&colour=red&colour=blue')).names).toHaveLength(9);
  });

  it('is the same under the older version number', async () => {
    expect((await list('/v0/servers')).body).toEqual((await list('/v0.1/servers')).body);
    expect((await list('/registry/first/v0/servers')).body).toEqual((await list('/registry/first/v0.1/servers')).body);
  });
});

describe('several sources', () => {
  it('give a name as a whole to the first of them, on every route', async () => {
    const both = encodeURIComponent('io.example/both');
    for (const root of ['/v0.1', '/registry/v0.1', '/v0', '/registry/v0']) {
      expect((await list(`${root}/servers?search=/both`)).names).toEqual(['io.example/both@1.0.0']);
      expect((await list(`${root}/servers?search=/both&version=latest`)).names).toEqual(['io.example/both@1.0.0']);
      expect((await list(`${root}/servers/${both}/versions`)).names).toEqual(['io.example/both@1.0.0']);
      expect((await get(`${root}/servers/${both}/versions/latest`)).status).toBe(200);
      expect((await get(`${root}/servers/${both}/versions/2.0.0`)).status).toBe(404);
    }
  });

  it('let a live server take precedence over the tombstones of an earlier source', async () => {
    expect((await list('/v0.1/servers?search=/gone')).names).toEqual(['io.example/gone@0.9.0']);
  });

  it('are available one by one, also a source that is called like a part of a path', async () => {
    expect((await list('/registry/v0.1/v0.1/servers')).names).toEqual([
      'io.example/both@2.0.0',
      'io.example/gone@0.9.0',
      'io.second/only@1.0.0',
    ]);
    expect(await fault('/registry/nobody/v0.1/servers')).toEqual({
      status: 404,
      error: 'no registry is called "nobody"',
    });
  });
});

describe('one server', () => {
  it('lists its versions, newest first', async () => {
    const expected = ['io.example/many@1.10.0', 'io.example/many@1.9.0+build.5', 'io.example/many@1.9.0'];
    for (const path of [many, many.toLowerCase(), 'io.example/many']) {
      expect((await list(`/registry/first/v0.1/servers/${path}/versions`)).names).toEqual(expected);
    }
    expect((await list(`/v0.1/servers/${many}/versions?include_deleted=true`)).names).toHaveLength(4);
  });

  it('returns one version, or the latest', async () => {
    const version = async (path: string) =>
      ((await (await get(path)).json()) as ServerList['servers'][number]).server.version;
    expect(await version(`/v0.1/servers/${many}/versions/latest`)).toBe('1.10.0');
    expect(await version('/v0.1/servers/io.example/many/versions/latest')).toBe('1.10.0');
    expect(await version(`/v0.1/servers/${many}/versions/1.9.0+build.5`)).toBe('1.9.0+build.5');
    expect(await version(`/v0.1/servers/${many}/versions/1.9.0%2Bbuild.5`)).toBe('1.9.0+build.5');
    expect(await version(`/v0.1/servers/${many}/versions/2.0.0?include_deleted=true`)).toBe('2.0.0');
    expect((await get(`/v0.1/servers/${many}/versions/2.0.0`)).status).toBe(404);
  });

  it('may be called like a part of a path, or be as long as a name can be', async () => {
    expect((await list('/v0.1/servers/a%2Fversions/versions')).names).toEqual(['a/versions@1.0.0']);
    expect((await list('/v0.1/servers/a/versions/versions')).names).toEqual(['a/versions@1.0.0']);
    expect((await get('/v0.1/servers/a/versions/versions/1.0.0')).status).toBe(200);
    expect((await get(`/v0.1/servers/io.long%2F${'n'.repeat(192)}/versions/latest`)).status).toBe(200);
  });

  it('is 404 when unknown, hidden, or invalid: clients treat any other status as an outage', async () => {
    expect((await fault('/v0.1/servers/io.example%2Fnobody/versions')).status).toBe(404);
    expect((await fault('/v0.1/servers/io.example%2Fhidden/versions/1.0.0?include_deleted=true')).status).toBe(404);
    for (const root of ['/v0.1', '/v0', '/registry/v0.1', '/registry/first/v0.1', '/default/open/v0.1']) {
      for (const name of [
        'noslash',
        'my%20server',
        '@scope%2Fpkg',
        'a%2Fb%2Fc',
        '%252F',
        '%25zz',
        'n'.repeat(5000),
        '.',
        '_',
      ]) {
        expect([name, (await fault(`${root}/servers/${name}/versions/latest`)).status]).toEqual([name, 404]);
        expect([name, (await fault(`${root}/servers/${name}/versions`)).status]).toEqual([name, 404]);
      }
      for (const version of ['a%20b', '%09', '%25', 'v'.repeat(5000)]) {
        expect((await fault(`${root}/servers/${many}/versions/${version}`)).status).toBe(404);
      }
    }
  });

  it('is found by a name and a version that were encoded twice', async () => {
    const twice = (text: string) => encodeURIComponent(encodeURIComponent(text));
    const names = ['io.example/many', 'io.example/100%_sure'];
    for (const name of names) {
      const response = await get(`/v0.1/servers/${twice(name)}/versions`);
      expect(((await response.json()) as ServerList).servers[0]?.server.name).toBe(name);
    }
    const build = await get(
      `/registry/first/v0.1/servers/${twice('io.example/many')}/versions/${twice('1.9.0+build.5')}`,
    );
    expect(await build.json()).toMatchObject({ server: { version: '1.9.0+build.5' } });
  });

  it('has probes like the official server next to it', async () => {
    for (const root of ['/v0.1', '/v0', '/registry/first/v0.1', '/default/closed/v0']) {
      expect(await (await get(`${root}/health`)).json()).toEqual({ status: 'ok' });
      expect(await (await get(`${root}/ping`)).json()).toEqual({ pong: true });
      const version = { version: '1.2.3', git_commit: 'abc', build_time: '2026-11-22' };
      expect(await (await get(`${root}/version`)).json()).toEqual(version);
    }
  });

  it('is sent byte for byte', async () => {
    const serverJson = '{"version":"1.0.0",  "name":"io.exact/bytes","big":12345678901234567890,"é":"\\u00e9"}';
    await publishAwkward({ name: 'io.exact/bytes', version: '1.0.0', serverJson });
    const response = await get('/registry/registry/v0.1/servers/io.exact%2Fbytes/versions/1.0.0');
    expect(await response.text()).toContain(`{"server":${serverJson},"_meta":{`);
  });
});

describe('several registries in one process', () => {
  it('are served below namespace and name, the first one at the root too', async () => {
    expect((await list('/default/open/v0.1/servers')).body).toEqual((await list('/v0.1/servers')).body);
    expect((await list('/default/open/registry/first/v0.1/servers?limit=1')).names).toEqual(['a/versions@1.0.0']);
    expect((await list('/registry/registry/registry/registry/v0.1/servers')).names).toHaveLength(1);
    expect((await get('/default/nobody/v0.1/servers')).status).toBe(404);
    expect((await get('/default/open/health')).status).toBe(200);
    expect((await get('/default/open')).status).toBe(404);
  });

  it('keep a registry with a login private on every data route, whatever the token', async () => {
    const roots = ['v0.1', 'v0', 'registry/v0.1', 'registry/v0', 'registry/first/v0.1', 'registry/first/v0'];
    const paths = ['/servers', `/servers/${many}/versions`, `/servers/${many}/versions/latest`, '/servers?limit=wrong'];
    const urls = roots.flatMap((root) => paths.map((path) => `/default/closed/${root}${path}`));
    const headers = { authorization: 'Bearer x' };
    for (const url of urls) {
      for (const method of ['GET', 'HEAD']) {
        const response = await get(url, { method, headers });
        expect([url, response.status]).toEqual([url, 401]);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="mcp-registry", error="invalid_token"/);
      }
      expect((await fault(url, { headers })).error).toBe('token validation failed');
    }
    expect((await fault('/default/closed/v0.1/servers')).error).toBe('missing or malformed authorization header');
    expect((await get('/default/closed/health')).status).toBe(200);
  });
});

describe('HTTP', () => {
  it('allows every origin, with errors too', async () => {
    for (const path of [
      '/v0.1/servers',
      '/v0.1/servers?limit=0',
      '/nowhere',
      '/v0.1/servers/%zz/versions',
      '/health',
    ]) {
      const response = await get(path, { headers: { origin: 'vscode-file://vscode-app' } });
      expect([path, response.headers.get('access-control-allow-origin')]).toEqual([path, '*']);
      expect([path, response.headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    }
    const preflight = await get('/default/closed/v0.1/servers', {
      method: 'OPTIONS',
      headers: {
        origin: 'null',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization, if-none-match, x-request-id',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('GET');
    // All headers that the API reads and that a page may send only with permission.
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, If-None-Match, X-Request-Id',
    );
  });

  it('returns 304 to a client that has the current revision, until it changes', async () => {
    const path = '/registry/registry/v0.1/servers';
    const etag = (await get(path)).headers.get('etag') as string;
    const again = () => get(path, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect((await again()).status).toBe(304);
    await publishAwkward({ name: 'io.awkward/two', version: '1.0.0' });
    const changed = await again();
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('sends gzip and br to clients that accept them, each with its own tag', async () => {
    const path = '/registry/first/v0.1/servers';
    const plain = await get(path, { headers: { 'accept-encoding': 'identity' } });
    const text = await plain.text();
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('vary')).toBe('Accept-Encoding');
    const tags = new Set([plain.headers.get('etag')]);
    for (const [accepted, encoding] of [
      ['gzip', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1, br;q=0.5', 'gzip'],
      ['gzip', 'gzip'],
    ]) {
      const response = await get(path, { headers: { 'accept-encoding': accepted as string } });
      expect(response.headers.get('content-encoding')).toBe(encoding);
      expect(Number(response.headers.get('content-length'))).toBeLessThan(text.length / 2);
      expect(await response.text()).toBe(text);
      tags.add(response.headers.get('etag'));
    }
    expect(tags.size).toBe(3);
    for (const tag of tags) expect((await get(path, { headers: { 'if-none-match': tag as string } })).status).toBe(304);
  });

  it('reports the number of entries on all pages, when they changed, and who may cache them', async () => {
    const { headers } = await get('/registry/first/v0.1/servers?limit=1');
    expect(headers.get('x-total-count')).toBe('7');
    expect(new Date(headers.get('last-modified') as string).toISOString()).toBe('2026-02-03T00:00:00.000Z');
    expect(headers.get('cache-control')).toBe('public, no-cache');
    expect(headers.get('x-registry-stale')).toBeNull();
  });

  it('responds to HEAD like to GET, without the body', async () => {
    for (const path of ['/v0.1/servers', `/v0.1/servers/${many}/versions/latest`, '/health', '/nowhere']) {
      const headers = { 'accept-encoding': 'identity' };
      const [whole, head] = [await get(path, { headers }), await get(path, { method: 'HEAD', headers })];
      expect(head.status).toBe(whole.status);
      expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength));
      expect(head.headers.get('etag')).toBe(whole.headers.get('etag'));
      expect(await head.text()).toBe('');
    }
  });

  it('rejects other methods at existing paths, and lists the accepted ones', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const init = { method, body: '{not json', headers: { 'content-type': 'application/json' } };
      const response = await get('/v0.1/servers', init);
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect(await response.json()).toHaveProperty('error');
      expect((await fault('/nowhere', init)).status).toBe(404);
    }
  });

  it('rejects a client that does not accept JSON, if every response is JSON', async () => {
    const accepting = (accept: string) => ({ headers: { accept } });
    for (const path of ['/v0.1/servers', `/v0.1/servers/${many}/versions/latest`, '/v1/sources', '/openapi.json']) {
      expect(await fault(path, accepting('text/html'))).toEqual({
        status: 406,
        error: expect.stringContaining('application/json'),
      });
      for (const accept of ['application/*', 'text/html, */*;q=0.1', '*/*', '']) {
        expect({ path, accept, status: (await get(path, accepting(accept))).status }).toMatchObject({ status: 200 });
      }
    }
    for (const path of ['/reference', '/openapi.yaml', '/registry/openapi.yaml', '/health', '/readiness', '/version']) {
      expect({ path, status: (await get(path, accepting('image/png'))).status }).toEqual({ path, status: 200 });
    }
    expect((await fault('/nowhere', accepting('text/html'))).status).toBe(404);
  });

  it('responds to malformed requests in JSON', async () => {
    const { hostname, port } = new URL(api.url);
    const raw = async (head: string, body = '') => {
      const socket = connect(Number(port), hostname);
      socket.write(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n${body}`);
      return text(socket);
    };
    expect(await raw('PROPFIND /v0.1/servers HTTP/1.1')).toMatch(/^HTTP\/1.1 501 [^]*\r\n\r\n\{"error":"/);
    expect(await raw('GARBAGE')).toMatch(/^HTTP\/1.1 400 [^]*\r\n\r\n\{"error":"/);
    expect(await raw(`GET /${'x'.repeat(40_000)} HTTP/1.1`)).toMatch(/^HTTP\/1.1 431 [^]*\r\n\r\n\{"error":"/);
    expect(await raw(`GET ${api.url}/default/open/v0.1/servers?limit=1 HTTP/1.1`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw('OPTIONS * HTTP/1.1')).toMatch(/^HTTP\/1.1 204 /);
    const begun = `POST /v0.1/publish HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9000000`;
    // The response comes before the rest of the body has arrived, however long it would be.
    expect(await raw(begun, '{')).toMatch(/^HTTP\/1.1 403 [^]*\r\n\r\n\{"error":"/);
    expect(await raw('GET /v0.1/servers?search=\xff HTTP/1.1')).toMatch(/^HTTP\/1.1 400 [^]*\r\n\r\n\{"error":"/);
  });
});

describe('a path with a slash too many', () => {
  const manual = { redirect: 'manual' } as const;

  it.each([
    ['/v0.1/servers/', '/v0.1/servers'],
    ['//v0.1/servers', '/v0.1/servers'],
    ['/v0.1//servers?limit=1', '/v0.1/servers?limit=1'],
    ['/registry/first//v0.1/servers', '/registry/first/v0.1/servers'],
    ['/default/open//v0.1/servers/', '/default/open/v0.1/servers'],
    ['//default//open/v0.1/servers', '/default/open/v0.1/servers'],
    [`/v0.1/servers/${many}/versions/latest/`, `/v0.1/servers/${many}/versions/latest`],
    ['/default/closed/v0.1/servers/', '/default/closed/v0.1/servers'],
    ['/health/', '/health'],
  ])('%s is 308 to %s, for GET and HEAD', async (path, clean) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await get(path, { ...manual, method });
      expect(response.status).toBe(308);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(new URL(response.headers.get('location') ?? '', `${api.url}${path}`).href).toBe(`${api.url}${clean}`);
    }
    expect((await get(path, { ...manual, method: 'POST' })).status).not.toBe(308);
  });

  it('opens nothing: the clean path is authorized like any other', async () => {
    expect((await get('/default/closed/v0.1/servers/')).status).toBe(401);
    expect((await get('/default/closed//v0.1/servers')).status).toBe(401);
  });

  it('leads to no other host', async () => {
    for (const path of ['//evil.example/', '//evil.example//v0.1', '/%5Cevil.example/', '//evil.example/%2F..//']) {
      const response = await get(path, manual);
      expect(response.status).toBe(308);
      expect(new URL(response.headers.get('location') ?? '', `${api.url}${path}`).host).toBe(new URL(api.url).host);
    }
  });
});

describe('a parameter without a value', () => {
  const names = ['limit', 'cursor', 'search', 'version', 'updated_since', 'include_deleted', 'tag', 'transport'];
  const all = [...names, 'tag_any', 'registry_type', 'source', 'status', 'remote', 'needs_secret', 'unknown'];

  it('counts as absent', async () => {
    const list = async (query: string) => (await get(`/v0.1/servers?${query}`)).text();
    const whole = await list('');
    for (const name of all) expect([name, await list(`${name}=`)]).toEqual([name, whole]);
    expect(await list(all.join('=&'))).toBe(whole);
    for (const path of [`/v0.1/servers/${many}/versions`, `/v0.1/servers/${many}/versions/latest`]) {
      expect((await get(`${path}?include_deleted=`)).status).toBe(200);
    }
    expect((await get('/v1/sources/first/runs?limit=&cursor=')).status).toBe(200);
  });
});

describe('hostile input', () => {
  const ODD_TEXTS = [
    ['', ' ', '.', '..', '/', '//', '\\', "'", '"', '`', ';', '--', '%', '_', '*', '?', '#', '&', '=', '+', '~', '|'],
    ['\0', '\n', '\r\n', '\t', '\u202e', '\u0130', '\ufffd', '\uffff', '😀', 'ß', 'ﬁ', 'a\0b', '日本', 'e\u0301'],
    ["' OR 1=1 --", '$1', '${7*7}', '{{7*7}}', '<script>', '__proto__', 'constructor', 'toString', 'null', 'NaN'],
    ['../../etc/passwd', 'a/b/c', 'a//b', '/a/b', 'a/b/', 'latest', 'versions', 'servers', 'v0.1', 'x'.repeat(300)],
    [
      '0',
      '-1',
      '1.5',
      '1e2',
      '5abc',
      '+5',
      '0x10',
      '٣',
      '1_000',
      '9'.repeat(400),
      '-0',
      'Infinity',
      'true',
      '[]',
      '{}',
    ],
    ['2025-02-30T00:00:00Z', '2025-01-01', '2025-01-01T00:00:00', '2025-13-01T00:00:00Z', '0000-00-00T00:00:00Z'],
    ['[1,2]', 'WyJhIiwiYiIse31d', 'WyJhIiwiYiJd', 'e30', 'bnVsbA', 'bnVsbA==', 'YWI=', 'YS9iLDEuMC4w', '____', '////'],
  ].flat();
  const RAW = ['%', '%0', '%zz', '%00', '%C0%AF', '%ED%A0%80', '%FF', '%E0%A4', '%252F', '%2e%2e%2f', '%u0041', '\xe9'];
  const PARAMETERS = [
    ['cursor', 'limit', 'search', 'updated_since', 'version', 'include_deleted', 'unknown'],
    ['tag', 'transport', 'registry_type', 'remote', 'needs_secret'],
  ].flat();

  const values = [...ODD_TEXTS.map((odd) => encodeURIComponent(odd)), ...RAW];
  const urls = [
    ...PARAMETERS.flatMap((name) => values.map((value) => `/v0.1/servers?${name}=${value}`)),
    ...PARAMETERS.flatMap((name) =>
      ['[]=a', '[a]=b', '[a][b]=c', '=a&NAME=b', '', '%5B%5D=a'].map(
        (rest) => `/v0.1/servers?${name}${rest.replace('NAME', name)}`,
      ),
    ),
    ...values.flatMap((value) => [
      `/v0.1/servers/${value}/versions`,
      `/v0.1/servers/${value}/versions/${value}`,
      `/v0.1/servers/a%2F${value}/versions/latest`,
      `/v0.1/servers/a/${value}/versions`,
      `/v0.1/servers/${many}/versions/${value}`,
      `/v0.1/servers/${many}/versions/latest?include_deleted=${value}`,
      `/registry/${value}/v0.1/servers`,
      `/${value}/open/v0.1/servers`,
      `/${value}`,
      `/v0.1/servers?${value}=x`,
      `/v0.1/x/io.github.mcp-registry-operator/facets?search=${value}`,
      `/registry/${value}/exports`,
      `/registry/exports/${value}`,
      `/registry/first/exports/${value}/report`,
      `/registry/first/exports/mcp-json?prefer=${value}`,
      `/registry/first/exports/mcp-json?deny=${value}`,
      `/v1/registries/${value}/explain?name=a`,
      `/v1/registries/open/explain?name=${value}`,
      `/v1/registries/open/explain?name=a/b&version=${value}`,
      `/console/${value}`,
      `/v1/console?${value}=x`,
    ]),
    '/v0.1/servers?&&&',
    '/v0.1/servers?=',
    '/v0.1/servers??',
    '/v0.1//servers',
    '//v0.1/servers',
    '/v0.1/servers/',
    '/v1/registries/open/explain?name=a%2500',
    '/v1/registries/open/explain?name=%2500',
  ];

  it.each([
    ['/registry/first/exports/', '/registry/first/exports'],
    ['/registry//first/exports//mcp-json?names=a//b/', '/registry/first/exports/mcp-json?names=a//b/'],
    ['/default/open//registry/exports/', '/default/open/registry/exports'],
    ['/v1/registries/open//explain/?name=a%2Fb', '/v1/registries/open/explain?name=a%2Fb'],
    ['/v1/console/', '/v1/console'],
    ['/default/open//v1/console', '/default/open/v1/console'],
    ['/hooks/x/', '/hooks/x'],
  ])('is redirected from %s to the clean path', async (path, clean) => {
    const response = await fetch(`${api.url}${path}`, { redirect: 'manual' });
    expect([response.status, new URL(response.headers.get('location') ?? '', `${api.url}${path}`).href]).toEqual([
      308,
      `${api.url}${clean}`,
    ]);
  });

  it('gets a result when it sends every known parameter, including empty ones', async () => {
    const paths = [
      '/registry/first/exports/mcp-json?names=&tag=&transport=&prefer=&pinned=&deny=&download=',
      '/v1/registries/open/explain?name=a%2Fb&version=',
      '/v0.1/x/io.github.mcp-registry-operator/facets?search=&limit=',
    ];
    for (const path of paths) expect([path, (await fetch(`${api.url}${path}`)).status]).toEqual([path, 200]);
  });

  it('gets an error message: no 5xx, always JSON', async () => {
    expect(urls.length).toBeGreaterThan(1500);
    const odd: string[] = [];
    for (const url of urls) {
      const { status, body } = await request(url);
      const ok =
        status === 200 || status === 308 || ([400, 404].includes(status) && typeof JSON.parse(body).error === 'string');
      if (!ok) odd.push(`${status} ${url} ${body.slice(0, 100)}`);
    }
    expect(odd).toEqual([]);
  });

  it.each(
    [
      ['limit=0', 'limit=-1', 'limit=5abc', 'limit=1e2', 'limit=1.5', 'limit=1&limit=2', 'limit[]=1'],
      ['cursor=x', 'cursor=YS9iLDEuMC4w', 'cursor=WyJhIiwiYiJd', 'search=a&search=b', 'search[a]=b', 'search=%00'],
      ['search=%ED%A0%80', 'search=%zz', 'search=%', 'unknown=%ff', '%ff=1', 'version=%00', 'version=a&version=b'],
      ['updated_since=2025-01-01', 'updated_since=2025-01-01T00:00:00'],
      ['updated_since=2025-02-30T00:00:00Z', 'updated_since=2025-01-01T24:00:00Z', 'include_deleted=maybe'],
    ].flat(),
  )('rejects ?%s', async (query) => {
    expect((await fault(`/v0.1/servers?${query}`)).status).toBe(400);
  });

  it('reports every invalid parameter', async () => {
    const { error } = await fault('/v0.1/servers?limit=0&updated_since=yesterday');
    expect(error).toMatch(/^limit must be .*; updated_since must be /);
  });

  /** Sends a request without fetch, which normalizes URLs before it sends them. */
  async function request(path: string): Promise<{ status: number; body: string }> {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.write(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1'));
    const [head = '', body = ''] = (await text(socket)).split(/\r\n\r\n([^]*)/);
    return { status: Number(head.split(' ')[1]), body };
  }
});

describe('the lifetime of the process', () => {
  it('serves probes on both ports', async () => {
    for (const url of [api.url, api.internalUrl]) {
      expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'healthy' });
      expect(await (await fetch(`${url}/readiness`)).json()).toEqual({ status: 'ready' });
      expect(await (await fetch(`${url}/version`)).json()).toEqual({
        version: '1.2.3',
        commit: 'abc',
        build_date: '2026-11-22',
        node_version: process.version,
        platform: `${process.platform}/${process.arch}`,
      });
    }
    expect((await fetch(`${api.internalUrl}/v0.1/servers`)).status).toBe(404);
  });

  it('exports metrics of its entries and requests on the internal port only', async () => {
    const value = async (line: string) => {
      const found = (await (await fetch(`${api.internalUrl}/metrics`)).text()).split('\n');
      return found.find((each) => each.startsWith(`${line} `))?.slice(line.length + 1);
    };
    const requests = 'thv_reg_srv_http_requests_total{method="GET",route="/v0.1/servers",status_code="200"}';
    const before = Number((await value(requests)) ?? 0);
    const response = await get('/v0.1/servers?limit=1');
    await response.arrayBuffer();
    await until(
      () => value(requests),
      (count) => Number(count) === before + 1,
    );
    expect(await value('thv_reg_srv_http_active_requests')).toBe('0');
    expect(await value('thv_reg_srv_servers_total{registry="default/open"}')).toBe(
      response.headers.get('x-total-count'),
    );
    expect(Number(await value('thv_reg_srv_catalogue_bytes{registry="default/open",source="first"}'))).toBeGreaterThan(
      1,
    );
    expect(await value('thv_reg_srv_catalogue_entries{registry="default/open",source="first"}')).toBe('9');
    api.metrics.recordSync({ namespace: 'default', name: 'open' }, { startedAt: 1000, finishedAt: 3000 });
    const syncs = 'thv_reg_srv_sync_duration_seconds_sum{registry="default/open",success="true"}';
    expect(await value(syncs)).toBe('2');
    expect((await fetch(`${api.internalUrl}/metrics`)).headers.get('content-type')).toMatch(
      /^text\/plain; version=0.0.4/,
    );
    expect((await get('/metrics')).status).toBe(404);
  });

  it('is not ready before every source was tried', async () => {
    const registry: ServedRegistry = { namespace: 'default', name: 'slow', sources: [], auth: { mode: 'anonymous' } };
    const slow = await startRegistryApi(options({ registries: onlyRegistry(registry) }));
    try {
      const reason = (report: { reason?: string } = slow.ready() as object) => report.reason;
      await until(
        () => reason(),
        (why) => why === 'waiting for registry default/slow to be set up',
      );

      await rows.addRegistry('default', 'slow');
      await rows.addSource('default', 'slow', 'git');
      await rows.notify('default', 'slow');
      const awaited = 'waiting for the first sync of source "git" of default/slow';
      await until(
        () => reason(),
        (why) => why === awaited,
      );
      const response = await fetch(`${slow.url}/readiness`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ error: awaited });

      await rows.query(`INSERT INTO sync_run (workflow_id, source_id, trigger, started_at, finished_at, failure_reason)
                        SELECT 'run', id, 'initial', now(), now(), 'Unreachable' FROM source WHERE registry = 'slow'`);
      await rows.notify('default', 'slow');
      await until(
        () => slow.ready(),
        ({ ready }) => ready,
      );
      // The registry is ready, but a source that has never been synced does not result in an empty list.
      expect((await fetch(`${slow.url}/v0.1/servers`)).status).toBe(503);
    } finally {
      await slow.close();
    }
  });

  it('continues without its database and catches up when it is available again', async () => {
    const before = (await list('/v0.1/servers')).names;
    await interruptDatabase(async () => {
      await until(
        () => api.ready(),
        ({ ready, detail }: { ready: boolean; detail?: string }) => ready && !!detail,
      );
      expect((await list('/v0.1/servers')).names).toEqual(before);
      const stale = (await get('/v0.1/servers')).headers.get('x-registry-stale') as string;
      expect(Math.abs(Date.now() - Date.parse(stale))).toBeLessThan(60_000);
      expect(await (await get('/readiness')).json()).toEqual({
        status: 'ready',
        detail: expect.stringMatching(/database/),
      });
      const metrics = await (await fetch(`${api.internalUrl}/metrics`)).text();
      expect(metrics).toMatch(/^thv_reg_srv_catalogue_entries\{registry="default\/open",source="first"\} 9$/m);
      expect(metrics).toMatch(/^thv_reg_srv_catalogue_age_seconds \d/m);
    });
    const isLaterServed = async () => (await list('/v0.1/servers')).names.includes('io.second/later@1.0.0');
    await rows.publish('default', 'open', 'v0.1', [...SECOND, { name: 'io.second/later', version: '1.0.0' }]);
    await expect.poll(isLaterServed).toBe(true);
    expect(api.ready()).toEqual({ ready: true });
    await rows.publish('default', 'open', 'v0.1', SECOND);
    await expect.poll(isLaterServed).toBe(false);
  });

  it('marks responses that may be out of date because a source fails', async () => {
    const run = (id: string, reason: string | null) =>
      rows.query(
        `INSERT INTO sync_run (workflow_id, source_id, trigger, started_at, finished_at, failure_reason)
         SELECT $1, id, 'interval', now(), now(), $2 FROM source
          WHERE namespace = 'default' AND registry = 'open' AND name = 'first'`,
        [id, reason],
      );
    const gauge = async () =>
      /^thv_reg_srv_sync_failing\{registry="default\/open",source="first"\} (\d)/m.exec(
        await (await fetch(`${api.internalUrl}/metrics`)).text(),
      )?.[1];
    const stale = async (path: string) => (await get(path)).headers.has('x-registry-stale');
    await run('failed', 'Unreachable');
    await rows.notify('default', 'open');
    await until(gauge, (value) => value === '1');
    expect(await stale('/v0.1/servers')).toBe(true);
    expect(await stale(`/registry/first/v0.1/servers/${many}/versions`)).toBe(true);
    expect(await stale('/registry/v0.1/v0.1/servers')).toBe(false);
    expect(await stale('/registry/registry/v0.1/servers')).toBe(false);
    expect(await (await get('/readiness')).json()).toEqual({
      status: 'ready',
      detail: 'serving what was last synced of source "first" of default/open, which fails',
    });
    await run('succeeded', null);
    await rows.notify('default', 'open');
    await until(gauge, (value) => value === '0');
    expect(await stale('/v0.1/servers')).toBe(false);
    expect(api.ready()).toEqual({ ready: true });
  });

  it('starts without a database, reports why it is not ready, and sends Retry-After', async () => {
    const nowhere = { ...database.app, database: 'no_such_database' };
    const lonely = await startRegistryApi(options({ database: nowhere }));
    try {
      await until(
        () => lonely.ready(),
        (report) => !report.ready && report.reason === 'DatabaseUnreachable: the log of the server has the cause',
      );
      const response = await fetch(`${lonely.url}/v0.1/servers`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('2');
      expect((await fetch(`${lonely.url}/readiness`)).status).toBe(503);
      expect((await fetch(`${lonely.url}/health`)).status).toBe(200);
      expect((await fetch(`${lonely.internalUrl}/metrics`)).status).toBe(200);
    } finally {
      await lonely.close();
    }
  });

  it('reports a port that is in use, and leaves nothing open', async () => {
    const port = Number(new URL(api.url).port);
    await expect(startRegistryApi(options({ port }))).rejects.toThrow(
      `port ${port} is in use; stop what listens there, or set PORT to a free port`,
    );
    await expect(startRegistryApi(options({ internalPort: port }))).rejects.toThrow(/set INTERNAL_PORT/);
  });

  it('stops listening and closes the database connections when closed', async () => {
    const shortLived = await startRegistryApi(options());
    await shortLived.catalogue.nextChange();
    await Promise.all([shortLived.close(), shortLived.close()]);
    expect(shortLived.ready()).toEqual({ ready: false, reason: 'shutting down' });
    await expect(fetch(`${shortLived.url}/health`)).rejects.toThrow('fetch failed');
  });

  /** Disconnects the app role and accepts no new connections while `work` runs. */
  async function interruptDatabase(work: () => Promise<void>): Promise<void> {
    const name = database.app.database as string;
    const [owner, app] = [database.migrator, database.app].map((role) => new Client({ ...role, database: 'postgres' }));
    if (!owner || !app) return;
    await Promise.all([owner.connect(), app.connect(), rows.end()]);
    await owner.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    try {
      await app.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      await work();
    } finally {
      await owner.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
      await Promise.all([owner.end(), app.end()]);
      rows = await CatalogueRows.connect(database.app);
    }
  }
});
