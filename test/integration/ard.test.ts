import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARD_LIMITS } from '#domain/ard/search-request.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { apiOptions } from '#support/api-options.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';

interface Entry {
  identifier: string;
  displayName: string;
  url: string;
  score?: number;
  metadata?: Record<string, unknown>;
}

let database: TestDatabase;
let rows: CatalogueRows;
let provider: OidcProvider;
let api: RegistryApi;

const row = (name: string, rest: Partial<EntryRow> & { server?: object } = {}): EntryRow => {
  const { server = {}, ...columns } = rest;
  const { title, description = `What ${name} is`, version = '1.0.0' } = columns;
  const document = { name, version, description, ...(title && { title }), ...server };
  return { name, version, description, ...columns, serverJson: JSON.stringify(document) };
};

const OURS = [
  row('com.example/weather', {
    title: 'Weather',
    tags: ['sky'],
    facets: ['remote', 'transport:sse', 'tool:forecast'],
    server: {
      remotes: [{ type: 'sse', url: 'https://weather.example/mcp' }],
      _meta: {
        'io.modelcontextprotocol.registry/publisher-provided': {
          a: { b: { tags: ['sky'], tools: ['forecast', 'x'.repeat(65), 1], representativeQueries: ['one', 'two'] } },
        },
      },
    },
  }),
  row('com.example/weather', { version: '0.9.0', description: 'older' }),
  row('com.example/old', { status: 'deprecated', description: 'weather of yesterday' }),
  row('io.github.acme/search', { facets: ['package', 'registry-type:npm', 'transport:stdio'] }),
  row('com.example/hidden', { hiddenBy: 'names.exclude: *', title: 'Weather secret' }),
  row('com.example/gone', { deletedAt: '2026-03-01T00:00:00Z', title: 'Weather gone' }),
  row('unaddressable/weather', { title: 'Weather of nowhere' }),
];
const INNER = [row('com.inner/weather', { title: 'Weather inside' }), row('com.example/old', { title: 'shadowed' })];

beforeAll(async () => {
  [database, provider] = await Promise.all([
    createTestDatabase(),
    createKey('ES256').then((key) => OidcProvider.start([key])),
  ]);
  rows = await CatalogueRows.connect(database.app);
  const auth = (publicRead: readonly string[]) =>
    oauth({
      publicRead,
      oauth: { providers: [{ name: 'p', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }] },
    });
  const served = (name: string, rest: Partial<ServedRegistry>): ServedRegistry => ({
    namespace: 'default',
    name,
    sources: ['ours', 'inner'],
    auth: { mode: 'anonymous' },
    ...rest,
  });
  const registries = [
    served('team', { displayName: 'The team' }),
    served('proxied', { publicUrl: 'https://tools.example.com/mcp/' }),
    served('closed', { auth: auth([]) }),
    served('partly', { auth: auth(['ours']) }),
    served('off', { ard: { enabled: false } }),
    served('large', { sources: ['large'] }),
  ];
  for (const { name, sources } of registries) {
    await rows.addRegistry('default', name);
    for (const [position, source] of sources.entries()) await rows.addSource('default', name, source, position);
    if (name === 'large') continue;
    await rows.publish('default', name, 'ours', OURS);
    await rows.publish('default', name, 'inner', INNER);
  }
  await rows.publish('default', 'large', 'large', many(ARD_LIMITS.manifest));
  api = await startRegistryApi(apiOptions(database.app, registries));
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await provider?.[Symbol.asyncDispose]();
  await rows?.end();
  await database?.drop();
});

const many = (count: number) => Array.from({ length: count }, (_, at) => row(`com.example/s${at}`));
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${api.url}${path}`, { headers });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const search = async (base: string, query: object, rest: object = {}, headers = {}) => {
  const response = await post(`${base}/search`, { query, ...rest }, headers);
  return { status: response.status, ...((await response.json()) as { results: Entry[]; pageToken?: string }) };
};
const manifest = async (base: string) =>
  ((await (await get(`${base}/.well-known/ard.json`)).json()) as { entries: Entry[] }).entries;
const names = (entries: readonly Entry[]) => entries.map(({ metadata }) => metadata?.['serverName']);

describe('the manifest', () => {
  it.each([[''], ['/default/team'], ['/registry/ours'], ['/default/team/registry/ours']])(
    'of %j leads to documentation that a browser can open',
    async (base) => {
      const { host } = (await (await get(`${base}/.well-known/ard.json`)).json()) as {
        host: { documentationUrl: string };
      };
      const page = await fetch(host.documentationUrl, { headers: { accept: 'text/html' } });
      const html = await page.text();
      const files = [...html.matchAll(/(?:src|href)="(reference[^"]*)"/g)].map(([, file]) => file as string);
      expect(files).toHaveLength(3);
      for (const file of ['openapi.json', ...files])
        expect([file, (await fetch(new URL(file, page.url))).status]).toEqual([file, 200]);
    },
  );

  it('is the same at both paths, names the registry first, and has a tag', async () => {
    const [one, other] = await Promise.all(
      ['ard', 'ai-catalog'].map((name) => get(`/.well-known/${name}.json`, { 'accept-encoding': 'identity' })),
    );
    expect(await one!.text()).toBe(await other!.text());
    expect(one!.headers.get('etag')).toBe(other!.headers.get('etag'));
    expect(one!.headers.get('cache-control')).toBe('public, no-cache');
    const again = await get('/.well-known/ard.json', { 'if-none-match': one!.headers.get('etag') as string });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const [registry, ...servers] = await manifest('');
    expect(registry).toMatchObject({
      identifier: 'urn:air:agent.localhost:registry:team',
      displayName: 'The team',
      type: 'application/ai-registry+json',
      url: `${api.url}/`,
    });
    expect(names(servers)).toEqual([
      'com.example/old',
      'com.example/weather',
      'com.inner/weather',
      'io.github.acme/search',
    ]);
  });

  it('has addresses that answer, below a part and a prefix as well', async () => {
    for (const base of ['', '/registry/ours', '/registry/team', '/default/team', '/default/team/registry/inner']) {
      const [registry, ...servers] = await manifest(base);
      expect(registry!.url).toBe(`${api.url}${base}/`);
      for (const { url, metadata, identifier } of servers) {
        const { server } = (await (await fetch(url)).json()) as { server: { name: string } };
        expect(server.name).toBe(metadata?.['serverName']);
        expect(await (await fetch(`${registry!.url}agents/${identifier}`)).json()).toMatchObject({ url });
      }
    }
  });

  it('has the configured address, and none that a proxy or a strange Host says', async () => {
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    expect(await (await get('/.well-known/ard.json', forwarded)).text()).not.toContain('evil');
    const proxied = await (await get('/default/proxied/.well-known/ard.json')).text();
    expect(proxied).not.toContain(api.url);
    expect(JSON.parse(proxied).entries[0]).toMatchObject({
      identifier: 'urn:air:tools.example.com:registry:proxied',
      url: 'https://tools.example.com/mcp/',
    });
    for (const host of ['1.2.3.4.5', 'localhost:99999', '$&.example', `${'a.'.repeat(127)}localhost`]) {
      const answer = await rawGet('/.well-known/ard.json', host);
      expect([host, answer.status < 500, answer.status]).toEqual([
        host,
        true,
        expect.toSatisfy((status) => status >= 400),
      ]);
    }
  });

  it('lists all servers, or none of more than it may have', async () => {
    expect(await manifest('/default/large')).toHaveLength(ARD_LIMITS.manifest + 1);
    const changed = api.catalogue.nextChange();
    await rows.publish('default', 'large', 'large', many(ARD_LIMITS.manifest + 1));
    await changed;
    await expect.poll(async () => (await manifest('/default/large')).length).toBe(1);
  });

  it('shows every caller only what can be read without a login', async () => {
    const token = await provider.issue('ES256');
    for (const headers of [{}, { authorization: `Bearer ${token}` }, { authorization: 'Bearer x' }]) {
      const closed = await get('/default/closed/.well-known/ard.json', headers);
      expect([closed.status, ((await closed.json()) as { entries: Entry[] }).entries.length]).toEqual([200, 1]);
      for (const source of ['ours', 'none']) {
        expect((await get(`/default/closed/registry/${source}/.well-known/ard.json`, headers)).status).toBe(404);
      }
      const partly = (await (await get('/default/partly/.well-known/ard.json', headers)).json()) as {
        entries: Entry[];
      };
      expect(names(partly.entries.slice(1))).toEqual([
        'com.example/old',
        'com.example/weather',
        'io.github.acme/search',
      ]);
    }
  });
});

describe('a search', () => {
  it('ranks what fits, and describes it', async () => {
    const { results } = await search('', { text: 'weather' });
    expect(results.map(({ score, metadata }) => [metadata?.['serverName'], score])).toEqual([
      ['com.example/weather', 100],
      ['com.inner/weather', 100],
      ['com.example/old', 60],
    ]);
    expect(results[0]).toEqual({
      identifier: 'urn:air:example.com:server:weather',
      displayName: 'Weather',
      type: 'application/mcp-server+json',
      url: `${api.url}/v0.1/servers/com.example%2Fweather/versions/latest`,
      description: 'What com.example/weather is',
      tags: ['sky'],
      capabilities: ['forecast'],
      representativeQueries: ['one', 'two'],
      version: '1.0.0',
      updatedAt: expect.stringMatching(/Z$/),
      metadata: {
        serverName: 'com.example/weather',
        status: 'active',
        remote: true,
        transports: 'sse',
        packageTypes: '',
        source: 'ours',
      },
      score: 100,
      source: `${api.url}/`,
    });
    expect((await search('/registry/inner', { text: 'weather' })).results[0]).toMatchObject({
      source: `${api.url}/registry/inner/`,
    });
  });

  it.each([
    [{ type: 'application/mcp-server-card+json' }, 3],
    [{ type: 'application/agent-card+json' }, 0],
    [{ tags: ['sky', 'x'] }, 1],
    [{ capabilities: 'forecast' }, 1],
    [{ publisher: ['EXAMPLE.com'] }, 2],
    [{ version: '1.0.0' }, 3],
    [{ version: '0.9.0' }, 0],
    [{ 'metadata.status': 'deprecated' }, 1],
    [{ 'metadata.remote': 'true' }, 1],
    [{ 'metadata.transports': 'sse,stdio' }, 1],
    [{ 'metadata.packageTypes': 'npm' }, 0],
    [{ 'metadata.source': ['inner'] }, 1],
    [{ identifier: 'urn:ai:inner.com:server:weather' }, 1],
    [{ 'trustManifest.identity': 'x' }, 0],
    [{ publisher: 'example.com', 'metadata.status': 'active' }, 1],
  ])('is restricted by %j to %d', async (filter, count) => {
    expect((await search('', { text: 'weather', filter })).results).toHaveLength(count);
  });

  it('has pages that add up, and tokens that are good for one query in one scope', async () => {
    const query = { text: 'weather' };
    const whole = (await search('', query, { pageSize: 100 })).results;
    const walked: Entry[] = [];
    let token: string | undefined;
    do {
      const page = await search('', query, { pageSize: 1, ...(token && { pageToken: token }) });
      walked.push(...page.results);
      token = page.pageToken;
    } while (token);
    expect(walked).toEqual(whole);
    const { pageToken } = await search('', query, { pageSize: 1 });
    for (const [base, asked] of [
      ['', { text: 'forecast' }],
      ['/registry/ours', query],
      ['', { ...query, filter: { tags: 'sky' } }],
    ] as const) {
      expect((await search(base, asked, { pageToken })).status).toBe(400);
    }
    expect((await search('', query, { pageToken: 'x' })).status).toBe(400);
    expect(await search('', query, { federation: 'referrals' })).toMatchObject({ referrals: [] });
  });

  it('shows nothing that is hidden, removed, shadowed, or without an identifier', async () => {
    const { results } = await search('', { text: 'weather hidden secret gone nowhere shadowed' }, { pageSize: 100 });
    const listed = (await (await get('/agents')).json()) as { items: Entry[]; total: number };
    const text = JSON.stringify([results, listed, await manifest('')]);
    for (const word of ['hidden', 'gone', 'nowhere', 'shadowed']) expect(text).not.toContain(word);
    expect(listed.total).toBe(4);
    for (const identifier of ['urn:air:example.com:server:hidden', 'urn:air:example.com:server:gone']) {
      expect((await get(`/agents/${identifier}`)).status).toBe(404);
    }
    // A word that appears only in hidden servers has the same weight as a word that appears nowhere.
    const score = async (text_: string) => (await search('', { text: text_ })).results[0]?.score;
    expect(await score('weather secret')).toBe(await score('weather nonsense'));
  });
});

it('an exploration counts what a search finds', async () => {
  const fields = ['type', 'tags', 'capabilities', 'publisher', 'version', 'metadata.status', 'metadata.remote'];
  const explore = async (query: object | undefined, facets: readonly object[]) =>
    ((await (await post('/explore', { query, resultType: { facets } })).json()) as { facets: object }).facets;
  expect(
    await explore(
      { text: 'weather' },
      fields.map((field) => ({ field })),
    ),
  ).toEqual({
    type: { buckets: [{ value: 'application/mcp-server+json', count: 3 }] },
    tags: { buckets: [{ value: 'sky', count: 1 }] },
    capabilities: { buckets: [{ value: 'forecast', count: 1 }] },
    publisher: {
      buckets: [
        { value: 'example.com', count: 2 },
        { value: 'inner.com', count: 1 },
      ],
    },
    version: { buckets: [{ value: '1.0.0', count: 3 }] },
    'metadata.status': {
      buckets: [
        { value: 'active', count: 2 },
        { value: 'deprecated', count: 1 },
      ],
    },
    'metadata.remote': {
      buckets: [
        { value: 'false', count: 2 },
        { value: 'true', count: 1 },
      ],
    },
  });
  expect(
    await explore(undefined, [
      { field: 'metadata.source', limit: 1 },
      { field: 'publisher', minCount: 2 },
    ]),
  ).toEqual({
    'metadata.source': { buckets: [{ value: 'ours', count: 3 }], otherCount: 1 },
    publisher: { buckets: [{ value: 'example.com', count: 2 }] },
  });
  expect(await explore({}, [{ field: 'metadata.transports' }, { field: 'metadata.packageTypes' }])).toEqual({
    'metadata.transports': {
      buckets: [
        { value: 'sse', count: 1 },
        { value: 'stdio', count: 1 },
      ],
    },
    'metadata.packageTypes': { buckets: [{ value: 'npm', count: 1 }] },
  });
});

describe('the list', () => {
  const agents = async (query: string) =>
    (await (await get(`/agents${query}`)).json()) as { items: Entry[]; pageToken?: string };

  it('is in text order, in pages, filtered, and tagged', async () => {
    const { items } = await agents('');
    expect(names(items)).toEqual([
      'com.example/old',
      'com.example/weather',
      'com.inner/weather',
      'io.github.acme/search',
    ]);
    const first = await agents('?pageSize=3');
    expect(await agents(`?pageSize=3&pageToken=${first.pageToken}`)).toEqual({ items: items.slice(3), total: 4 });
    expect(
      names(
        (await agents(`?filter=${encodeURIComponent("displayName = 'WEATHER' AND publisherId = inner.com")}`)).items,
      ),
    ).toEqual(['com.inner/weather']);
    expect((await agents(`?filter=${encodeURIComponent('updatedAfter > 2999-01-01')}`)).items).toEqual([]);
    const answer = await get('/agents');
    expect((await get('/agents', { 'if-none-match': answer.headers.get('etag') as string })).status).toBe(304);
    expect((await get('/agents?pageSize=1', { 'if-none-match': answer.headers.get('etag') as string })).status).toBe(
      200,
    );
  });

  it('has one entry by its identifier, in either spelling', async () => {
    for (const identifier of ['urn:air:example.com:server:weather', 'urn%3Aai%3Aexample.com%3Aserver%3Aweather']) {
      expect(await (await get(`/agents/${identifier}`)).json()).toMatchObject({
        identifier: 'urn:air:example.com:server:weather',
      });
    }
    for (const identifier of ['urn:air:example.com:server:WEATHER', 'urn:air:example.com:skill:weather']) {
      expect((await get(`/agents/${identifier}`)).status).toBe(404);
    }
    expect((await get('/agents/com.example%2Fweather')).status).toBe(400);
  });
});

describe('what is refused', () => {
  const problem = async (response: Response) => [
    response.status,
    ((await response.json()) as { errorCode: string }).errorCode,
  ];

  it('has the form of the standard, from guard, router and body limit as well', async () => {
    expect(await problem(await post('/search', '{'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await problem(await post('/search', Buffer.from([0x22, 0xff, 0x22]).toString('latin1')))).toEqual([
      400,
      'INVALID_ARGUMENT',
    ]);
    expect(await problem(await post('/explore', {}))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await problem(await post('/search', {}, { 'content-type': 'text/plain' }))).toEqual([
      415,
      'INVALID_ARGUMENT',
    ]);
    expect(await problem(await post('/search', {}, { 'content-encoding': 'gzip' }))).toEqual([415, 'INVALID_ARGUMENT']);
    expect(await problem(await post('/search', {}, { accept: 'text/html' }))).toEqual([406, 'INVALID_ARGUMENT']);
    expect(await problem(await get('/search'))).toEqual([405, 'NOT_IMPLEMENTED']);
    expect(await problem(await get('/agents/x'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await problem(await get('/agents?orderBy=updatedAt'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await problem(await get('/registry/none/agents'))).toEqual([404, 'NOT_FOUND']);
    const padded = (bytes: number) =>
      JSON.stringify({ query: { text: 'a' }, pad: '' }).replace('""', `"${'x'.repeat(bytes)}"`);
    const rest = padded(0).length;
    expect((await post('/search', padded(ARD_LIMITS.bodyBytes - rest))).status).toBe(200);
    expect(await problem(await post('/search', padded(ARD_LIMITS.bodyBytes - rest + 1)))).toEqual([
      413,
      'INVALID_ARGUMENT',
    ]);
    expect(await (await get('/nothing')).json()).toHaveProperty('error');
  });

  it('is decided by the login that lists want', async () => {
    const token = await provider.issue('ES256');
    const expired = await provider.sign({ iat: 1, exp: 2 });
    const query = { text: 'weather' };
    const refused = await post('/default/closed/search', { query });
    expect([await problem(refused.clone()), refused.headers.get('www-authenticate')]).toEqual([
      [401, 'UNAUTHENTICATED'],
      expect.stringContaining('Bearer'),
    ]);
    const authorization = `Bearer ${token}`;
    expect((await search('/default/closed', query, {}, { authorization })).results).toHaveLength(3);
    expect(names((await search('/default/partly', query)).results)).toEqual(['com.example/weather', 'com.example/old']);
    expect((await search('/default/partly', query, {}, { authorization })).results).toHaveLength(3);
    expect((await search('/default/partly', query, {}, { authorization: `Bearer ${expired}` })).status).toBe(401);
    expect((await post('/default/partly/registry/inner/search', { query })).status).toBe(401);
    expect((await get('/default/partly/agents/urn:air:inner.com:server:weather')).status).toBe(404);
  });

  it('is all of it where it is switched off, as if it did not exist', async () => {
    for (const path of ['/.well-known/ard.json', '/.well-known/ai-catalog.json', '/agents', '/agents/x', '/search']) {
      const answer = await get(`/default/off${path}`);
      expect([path, answer.status, Object.keys((await answer.json()) as object)]).toEqual([path, 404, ['error']]);
    }
    expect((await post('/default/off/search', { query: { text: 'weather' } })).status).toBe(404);
    expect((await post('/default/off/registry/ours/explore', {})).status).toBe(404);
    expect((await get('/default/off/v0.1/servers')).status).toBe(200);
  });
});

it('the metrics count the servers that have no identifier', async () => {
  const metrics = await (await fetch(`${api.internalUrl}/metrics`)).text();
  expect(metrics).toMatch(/^thv_reg_srv_ard_skipped_entries\{registry="default\/team"\} 1$/m);
});

/** Sends a GET request with an arbitrary Host header, which fetch does not allow. */
function rawGet(path: string, host: string): Promise<{ status: number }> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, headers: { host } }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0 });
    });
    sent.on('error', reject).end();
  });
}
