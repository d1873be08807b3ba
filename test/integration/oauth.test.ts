import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Auth } from '#spec/auth-spec.js';
import { startHttpServer } from '#http/testing/http-server.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { hostileRequests } from '#support/hostile-requests.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, INTROSPECTION_PATH, OidcProvider } from '#support/oidc-provider.js';
import { rawRequest } from '#support/raw-request.js';
import type { RawAnswer } from '#support/raw-request.js';
import { servedRegistries } from '#support/served-registries.js';

const LIST = '/v0.1/servers';
const JWKS_PATH = '/jwks';
/** The minimum time between two requests to a provider because of an unknown key. */
const COOL_DOWN_MS = 30_000;

let database: TestDatabase;
let rows: CatalogueRows;
let first: OidcProvider;
let second: OidcProvider;
let api: RegistryApi;
const started: string[] = [];
const audit: Record<string, unknown>[] = [];

beforeAll(async () => {
  [database, first, second] = await Promise.all([
    createTestDatabase(),
    startProvider('RS256', 'PS256', 'ES256', 'EdDSA'),
    startProvider('RS256'),
  ]);
  rows = await CatalogueRows.connect(database.app);
  const registries = guardedRegistries();
  for (const { namespace, name } of registries) {
    await rows.addRegistry(namespace, name);
    await rows.addSource(namespace, name, 'public', 0);
    await rows.addSource(namespace, name, 'inner', 1);
    await rows.publish(namespace, name, 'public', [{ name: 'io.public/one', version: '1.0.0' }]);
    await rows.publish(namespace, name, 'inner', [{ name: 'io.inner/one', version: '1.0.0' }]);
  }
  api = await startRegistryApi({
    ...ALONE,
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: servedRegistries(registries),
    syncNow: async ({ name }, source) => {
      started.push(`${name} ${source}`);
      return [{ source: source ?? 'public', workflowId: 'sync/public' }];
    },
    references: {
      ...ALONE.references,
      secretKey: async (namespace, name, key) =>
        Buffer.from(`${namespace}/${name}/${key}` === 'default/client/secret' ? `${first.secret}\n` : ''),
    },
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
    logger: pino({ level: 'info' }, { write: (line: string) => void audit.push(JSON.parse(line)) }),
  });
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await Promise.all([first?.[Symbol.asyncDispose](), second?.[Symbol.asyncDispose]()]);
  await rows?.end();
  await database?.drop();
});

async function startProvider(...algorithms: string[]): Promise<OidcProvider> {
  return OidcProvider.start(await Promise.all(algorithms.map((alg) => createKey(alg))));
}

/** Creates a provider that no registry refers to. */
async function createForeignProvider(): Promise<{ sign(): Promise<string> }> {
  const key = await createKey('RS256', 'foreign');
  return { sign: () => first.sign({ iss: 'https://github.example.com' }, {}, key) };
}

const providerOf = (name: string, { issuer }: OidcProvider, fields: object = {}) => ({
  name,
  issuerUrl: issuer,
  audience: AUDIENCE,
  allowPrivateIP: true,
  ...fields,
});

/**
 * Returns the registries of the tests. `guarded` trusts both providers, of which only the first has introspection.
 * `half`, `viewed`, `inner`, `back` and `pathed` are partly public. `scoped` requires scopes.
 */
function guardedRegistries(): ServedRegistry[] {
  const introspection = {
    introspectionUrl: `${first.issuer}${INTROSPECTION_PATH}`,
    clientId: 'registry',
    clientSecretRef: { name: 'client', key: 'secret' },
  };
  const providers = [providerOf('second', second), providerOf('first', first, introspection)];
  const named = (name: string, auth: object): ServedRegistry => ({
    namespace: 'default',
    name,
    sources: [],
    auth: oauth(auth),
  });
  return [
    named('guarded', { oauth: { providers } }),
    named('half', { publicRead: ['public'], oauth: { providers, resourceUrl: 'https://registry.example.com/team/' } }),
    {
      ...named('viewed', { publicRead: ['front'], oauth: { providers } }),
      views: [
        { name: 'front', sources: ['public'] },
        { name: 'back', sources: ['public', 'inner'] },
      ],
    },
    { ...named('inner', { publicRead: ['public'], oauth: { providers } }), sources: ['public', 'inner'] },
    {
      ...named('back', { publicRead: ['front'], oauth: { providers } }),
      views: [
        { name: 'front', sources: ['public'] },
        { name: 'back', sources: ['inner'] },
      ],
    },
    {
      ...named('pathed', { oauth: { providers } }),
      auth: { ...oauth({ oauth: { providers } }), publicPaths: ['/registry/inner', '/v1'] } as Auth,
    },
    named('scoped', {
      oauth: { providers, requiredScopes: { read: 'mcp-registry:read', write: 'mcp-registry:write' } },
    }),
    named('part', {
      oauth: { providers, resourceUrl: 'https://registry.example.com/default/part/registry/public/' },
    }),
    named('untrusting', { publicRead: ['public'], oauth: { providers: [providers[0]] } }),
    {
      ...named('proxied', { oauth: { providers, resourceUrl: 'https://registry.example.com/mcp/registry' } }),
      sources: ['public'],
    },
    {
      ...named('proxied-part', {
        oauth: { providers, resourceUrl: 'https://registry.example.com/mcp/registry/public/' },
      }),
      sources: ['public', 'inner'],
    },
    named('misguided', {
      oauth: { providers: [...providers.slice(0, 1), { ...providers[1], allowPrivateIP: false }] },
    }),
    named('anonymous', { mode: 'anonymous' }),
  ];
}

const get = (path: string, token?: string, init: RequestInit = {}) =>
  fetch(`${api.url}${path}`, {
    ...init,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...init.headers },
  });

async function names(path: string, token?: string): Promise<string[]> {
  const response = await get(path, token);
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
  const { servers } = (await response.json()) as { servers: { server: { name: string } }[] };
  return servers.map(({ server }) => server.name);
}

describe('a token of a provider', () => {
  it.each(['RS256', 'PS256', 'ES256', 'opaque'])('authenticates its holder: %s', async (format) => {
    expect(await names(LIST, await first.issue(format))).toEqual(['io.inner/one', 'io.public/one']);
  });

  it('authenticates its holder: EdDSA', async () => {
    const key = first.keys.find(({ alg }) => alg === 'EdDSA');
    expect(await names(LIST, await first.sign({}, {}, key))).toHaveLength(2);
  });

  it('is introspected once, and its keys are fetched once', async () => {
    const before = await first.counts();
    const [opaque, signed] = [await first.issue('opaque'), await first.issue('ES256')];
    for (const token of [opaque, signed, opaque, signed]) expect((await get(LIST, token)).status).toBe(200);
    const after = await first.counts();
    expect(after[INTROSPECTION_PATH]).toBe((before[INTROSPECTION_PATH] ?? 0) + 1);
    // Another test may have loaded them already.
    expect((after[JWKS_PATH] ?? 0) - (before[JWKS_PATH] ?? 0)).toBeLessThanOrEqual(1);
  });
});

describe('a hostile request', () => {
  it('is rejected, reveals nothing, and reaches no unrelated provider', async () => {
    await using trap = await startHttpServer((_, response) => void response.end('{"keys":[]}'));
    const requests = await hostileRequests({ provider: first, other: second, trap: trap.url });
    expect(requests.length).toBeGreaterThanOrEqual(200);
    expect(new Set(requests.map(({ name }) => name)).size).toBe(requests.length);
    // Load the keys first: known keys are not fetched again, and unknown ones at most once in half a minute.
    for (const provider of [first, second]) expect((await get(LIST, await provider.sign())).status).toBe(200);
    const startedAt = performance.now();
    const before = await Promise.all([first.counts(), second.counts()]);

    const wrong: unknown[] = [];
    for (const hostile of requests) {
      const answer = await rawRequest(api.url, hostile.path ?? LIST, hostile.headers);
      const seen = { name: hostile.name, status: answer.status, challenge: challengeOf(answer) };
      const wanted = { name: hostile.name, status: hostile.status, challenge: hostile.challenge };
      if (!isDeepStrictEqual(seen, wanted) || /io\.(public|inner)/.test(answer.body)) wrong.push({ wanted, seen });
    }
    expect(wrong).toEqual([]);

    const introspected = requests.filter((hostile) => hostile.introspected).length;
    const expected = { ...before[0], [INTROSPECTION_PATH]: (before[0][INTROSPECTION_PATH] ?? 0) + introspected };
    const after = await Promise.all([first.counts(), second.counts()]);
    expect(after).toEqual([expected, before[1]].map((counts) => ({ ...counts, [JWKS_PATH]: expect.any(Number) })));
    const fetches = after.map((counts, index) => counts[JWKS_PATH]! - before[index]![JWKS_PATH]!);
    expect(Math.max(...fetches)).toBeLessThanOrEqual(1 + (performance.now() - startedAt) / COOL_DOWN_MS);
    expect(trap.requests).toEqual([]);
  });
});

describe('a request without credentials', () => {
  it('gets a challenge without an error', async () => {
    const answer = await rawRequest(api.url, LIST, []);
    expect(answer).toMatchObject({ status: 401, body: '{"error":"missing or malformed authorization header"}' });
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="mcp-registry", resource_metadata="${api.url}/.well-known/oauth-protected-resource"`,
    );
  });

  it('reads what is open, and aggregates contain nothing else', async () => {
    const half = '/default/half';
    for (const path of [
      LIST,
      '/registry/v0.1/servers',
      '/registry/public/v0.1/servers',
      '/registry/half/v0.1/servers',
    ]) {
      expect(await names(`${half}${path}`)).toEqual(['io.public/one']);
    }
    expect((await get(`${half}/v0.1/servers/io.inner%2Fone/versions/latest`)).status).toBe(404);
    for (const path of [
      '/registry/inner/v0.1/servers',
      '/registry/nowhere/v0.1/servers',
      '/v1/sources',
      '/v1/registries/half',
    ]) {
      expect([path, (await get(`${half}${path}`)).status]).toEqual([path, 401]);
    }
    expect(await names(`${half}${LIST}`, await first.sign())).toEqual(['io.inner/one', 'io.public/one']);
    expect((await get(`${half}${LIST}`, 'x.y.z')).status).toBe(401);
  });

  it('may have the token of another service and read what is open; a token of a provider must be valid', async () => {
    const foreign = await (await createForeignProvider()).sign();
    for (const path of [LIST, '/registry/public/v0.1/servers', '/registry/untrusting/v0.1/servers']) {
      expect(await names(`/default/untrusting${path}`, foreign)).toEqual(['io.public/one']);
      expect(await names(`/default/untrusting${path}`, 'gho_foreign')).toEqual(['io.public/one']);
    }
    const open = `/default/untrusting${LIST}`;
    expect((await get(open, foreign)).headers.get('etag')).toBe((await get(open)).headers.get('etag'));
    for (const path of ['/registry/inner/v0.1/servers', '/v1/sources', '/v1/me']) {
      expect([path, (await get(`/default/untrusting${path}`, foreign)).status]).toEqual([path, 401]);
    }
    expect((await get(open, foreign, { method: 'POST' })).status).toBe(405);
    const sync = await get('/default/untrusting/v1/sources/public/sync', foreign, { method: 'POST' });
    expect(sync.status).toBe(401);
    for (const claims of [{ exp: 1 }, { aud: 'other' }, { nonce: 'x' }]) {
      expect((await get(open, await second.sign(claims))).status).toBe(401);
    }
    expect((await get(open, `ey${foreign}`)).status).toBe(401);
    // An opaque token may belong to the first provider, which has introspection.
    expect((await get(`/default/half${LIST}`, 'gho_foreign')).status).toBe(401);
  });

  it('by the name of a view are open with everything in the view', async () => {
    const viewed = '/default/viewed';
    expect(await names(`${viewed}/registry/front/v0.1/servers`)).toEqual(['io.public/one']);
    expect(await names(`${viewed}${LIST}`)).toEqual(['io.public/one']);
    expect((await get(`${viewed}/registry/back/v0.1/servers`)).status).toBe(401);
    const token = await first.sign();
    expect(await names(`${viewed}/registry/back/v0.1/servers`, token)).toEqual(['io.inner/one', 'io.public/one']);
  });

  it('never include the name of the registry itself, unless that is open', async () => {
    for (const [name, all] of [
      ['inner', ['io.inner/one']],
      ['back', ['io.inner/one']],
    ] as const) {
      const path = `/default/${name}/registry/${name}/v0.1/servers`;
      const refused = await get(path);
      expect([name, refused.status, refused.headers.get('www-authenticate')]).toEqual([
        name,
        401,
        expect.stringMatching(/^Bearer /),
      ]);
      expect(await names(path, await first.sign())).toEqual(all);
      expect(await names(`/default/${name}${LIST}`)).toEqual(['io.public/one']);
    }
  });

  it('may be a path, but only for reading', async () => {
    const pathed = '/default/pathed';
    expect(await names(`${pathed}/registry/inner/v0.1/servers`)).toEqual(['io.inner/one']);
    expect((await get(`${pathed}/v1/sources`)).status).toBe(200);
    for (const path of [
      LIST,
      '/registry/public/v0.1/servers',
      '/registry/inner%2Fv0.1/servers',
      '/registry/v0.1/servers',
    ]) {
      expect([path, (await get(`${pathed}${path}`)).status]).not.toEqual([path, 200]);
    }
    expect((await get(`${pathed}/v1/me`)).status).toBe(401);
    expect((await get(`${pathed}/v1/sources/inner/sync`, undefined, { method: 'POST' })).status).toBe(401);
    expect((await get(`${pathed}/registry/inner/v0.1/servers`, 'x.y.z')).status).toBe(401);
  });

  it('has different ETags for the open part and for everything', async () => {
    const [open, whole] = [await get(`/default/half${LIST}`), await get(`/default/half${LIST}`, await first.sign())];
    expect(open.headers.get('etag')).not.toBe(whole.headers.get('etag'));
  });
});

describe('the metadata of a registry', () => {
  const WELL_KNOWN = '/.well-known/oauth-protected-resource';
  const metadata = async (path: string) => (await (await get(path)).json()) as Record<string, unknown>;

  it.each([
    [WELL_KNOWN, ''],
    [`${WELL_KNOWN}/registry/public`, '/registry/public'],
    [`${WELL_KNOWN}/default/scoped`, '/default/scoped'],
    [`/default/scoped${WELL_KNOWN}`, '/default/scoped'],
    [`/registry/public${WELL_KNOWN}`, '/registry/public'],
    [`/default/scoped/registry/public${WELL_KNOWN}`, '/default/scoped/registry/public'],
    [`${WELL_KNOWN}/default/scoped/registry/public/v0.1`, '/default/scoped/registry/public/v0.1'],
  ])('contains the resource at %s', async (path, resource) => {
    expect(await metadata(path)).toEqual({
      resource: `${api.url}${resource}`,
      authorization_servers: [second.issuer, first.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp-registry:read', 'mcp-registry:write'],
    });
  });

  it('is that of the configured resource, if there is one', async () => {
    const resource = 'https://registry.example.com/team/';
    expect(await metadata(`/default/half${WELL_KNOWN}`)).toMatchObject({ resource });
    const challenge = (await rawRequest(api.url, '/default/half/registry/inner/v0.1/servers', [])).headers[
      'www-authenticate'
    ];
    expect(challenge).toContain(`resource_metadata="https://registry.example.com/team${WELL_KNOWN}"`);
  });

  it.each([
    [`/default/proxied${WELL_KNOWN}`, '/mcp/registry'],
    [`/default/proxied/registry/public${WELL_KNOWN}`, '/mcp/registry/registry/public'],
    [`/default/proxied/registry/registry${WELL_KNOWN}`, '/mcp/registry/registry/registry'],
    [`${WELL_KNOWN}/default/proxied/registry/public`, '/mcp/registry/registry/public'],
    [`${WELL_KNOWN}/default/proxied/mcp/registry/registry/public`, '/mcp/registry/registry/public'],
    [`${WELL_KNOWN}/default/proxied/mcp/registry/registry/public/v0.1`, '/mcp/registry/registry/public/v0.1'],
    [`/default/half/registry/public${WELL_KNOWN}`, '/team/registry/public'],
    [`/default/proxied-part/registry/public${WELL_KNOWN}`, '/mcp/registry/public/'],
    [`/default/proxied-part/registry/inner${WELL_KNOWN}`, '/mcp/registry/inner'],
  ])('appends a part to the path of the configured resource, at %s', async (path, resource) => {
    expect(await metadata(path)).toMatchObject({ resource: `https://registry.example.com${resource}` });
  });

  it('is at the URL of the challenge, also if the resource is one source', async () => {
    const { headers } = await get('/default/part/registry/public/v0.1/servers');
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? [];
    expect(await metadata(new URL(address).pathname)).toMatchObject({
      resource: 'https://registry.example.com/default/part/registry/public/',
    });
  });

  it('does not exist for an anonymous registry, for odd paths and for odd hosts', async () => {
    expect((await get(`/default/anonymous${WELL_KNOWN}`)).status).toBe(404);
    expect((await rawRequest(api.url, `${WELL_KNOWN}/<script>`, [])).status).toBe(404);
    expect((await rawRequest(api.url, `/registry/%3Cscript%3E${WELL_KNOWN}`, [])).status).toBe(404);
    expect((await get(`/default/anonymous/registry/public${WELL_KNOWN}`)).status).toBe(404);
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.end(`GET ${WELL_KNOWN} HTTP/1.1\r\nHost: "><x>\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 4(?:00|21) /);
  });
});

describe('a change', () => {
  beforeEach(() => void started.splice(0));

  const sync = (registry: string, path: string, token?: string) =>
    get(`/default/${registry}${path}`, token, { method: 'POST' });

  it('requires an authenticated caller in any mode', async () => {
    const refused = await sync('anonymous', '/v1/sources/public/sync');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual({ error: expect.stringContaining('auth.mode anonymous') });
    expect((await sync('anonymous', '/v1/sources/public/sync', await first.sign())).status).toBe(403);
    expect((await sync('half', '/v1/sources/public/sync')).status).toBe(401);
    expect(started).toEqual([]);
  });

  it('starts a sync of one source, or of all', async () => {
    const token = await first.sign();
    const one = await sync('guarded', '/v1/sources/public/sync', token);
    expect([one.status, await one.json()]).toEqual([202, { syncs: [{ source: 'public', workflowId: 'sync/public' }] }]);
    expect((await sync('guarded', '/v1/registries/guarded/sync', token)).status).toBe(202);
    expect(started).toEqual(['guarded public', 'guarded undefined']);
    expect((await sync('guarded', '/v1/sources/nowhere/sync', token)).status).toBe(404);
    expect((await sync('guarded', '/v1/registries/other/sync', token)).status).toBe(404);
  });
});

describe('a caller that requests its identity', () => {
  it('gets it with its rights; an anonymous registry has no callers', async () => {
    const me = async (registry: string, token?: string) => {
      const answer = await get(`/default/${registry}/v1/me`, token);
      return answer.ok ? await answer.json() : [answer.status, answer.headers.get('www-authenticate')?.slice(0, 7)];
    };
    const token = await first.sign({ sub: 'ann', scope: 'mcp-registry:read' });
    expect(await me('guarded', token)).toEqual({ subject: 'ann', provider: 'first', roles: ['manageEntries'] });
    expect(await me('scoped', token)).toEqual({ subject: 'ann', provider: 'first', roles: [] });
    expect(await me('half')).toEqual([401, 'Bearer ']);
    expect(await me('anonymous', token)).toEqual([401, 'Bearer ']);
  });
});

describe('required scopes', () => {
  it('are read from scope and scp, and cause a 403 if missing', async () => {
    const path = `/default/scoped${LIST}`;
    expect((await get(path, await first.issue('RS256'))).status).toBe(200);
    expect((await get(path, await first.issue('opaque'))).status).toBe(200);
    expect((await get(path, await first.sign({ scp: ['x', 'mcp-registry:read'] }))).status).toBe(200);
    for (const claims of [
      {},
      { scope: 'mcp-registry:write' },
      { scp: 'mcp-registry:rea' },
      { scopes: ['mcp-registry:read'] },
    ]) {
      expect((await get(path, await first.sign(claims))).status).toBe(403);
    }
    const refused = await get('/default/scoped/v1/sources/public/sync', await first.issue('RS256'), { method: 'POST' });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="mcp-registry:write"/);
  });
});

describe('an unavailable provider', () => {
  it('affects only its own tokens, with 503', async () => {
    const known = await first.sign({ jti: 'known' });
    expect((await get(LIST, known)).status).toBe(200);
    const opaque = await first.issue('opaque');
    await first.goAway(true);
    try {
      expect((await get(LIST, known)).status).toBe(200);
      expect((await get(LIST, await first.sign({ jti: 'keys are known' }))).status).toBe(200);
      expect((await get(LIST, await second.sign())).status).toBe(200);
      const held = await get(LIST, opaque);
      expect(held.status).toBe(503);
      expect(held.headers.get('retry-after')).toBe('5');
    } finally {
      await first.goAway(false);
    }
    expect((await get(LIST, opaque)).status).toBe(200);
  });
});

describe('a provider at a forbidden address', () => {
  it('sends clients to log in again, and is shown in the log and the readiness report', async () => {
    const answer = await rawRequest(api.url, `/default/misguided${LIST}`, ['Authorization', 'Bearer foreign']);
    expect(answer.status).toBe(401);
    expect(challengeOf(answer)).toBe('invalid_token');
    expect((await get(`/default/misguided${LIST}`, await second.sign())).status).toBe(200);
    expect(audit).toContainEqual(
      expect.objectContaining({
        level: 40,
        registry: 'default/misguided',
        provider: 'first',
        fault: expect.stringMatching(/is a private address.*allowPrivateIP/),
        msg: 'identity provider unavailable',
      }),
    );
    expect(audit).toContainEqual(expect.objectContaining({ registry: 'default/misguided', check: 'configuration' }));
    const { detail } = (await (await fetch(`${api.internalUrl}/readiness`)).json()) as { detail?: string };
    expect(detail).toContain('an identity provider of default/misguided is unavailable or misconfigured: see the log');
  });
});

describe('the audit log', () => {
  it('contains who did what and why not, but never a token', async () => {
    const token = await first.sign({ sub: 'auditor' });
    await get(LIST, token);
    await get('/v1/sources?x=secret', token);
    const refused = await get(`${LIST}?access_token=secret`, `${token}x`, { headers: { 'x-request-id': 'asked-1' } });
    expect(refused.headers.get('x-request-id')).toBe('asked-1');
    const lines = audit.filter(({ log }) => log === 'audit');
    expect(lines).toContainEqual(
      expect.objectContaining({
        registry: 'default/guarded',
        method: 'GET',
        path: '/v1/sources',
        provider: 'first',
        subject: 'auditor',
        decision: 'allowed',
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        requestId: 'asked-1',
        path: LIST,
        provider: 'first',
        decision: 'refused',
        check: 'signature',
        why: 'signature verification failed',
      }),
    );
    expect(JSON.stringify(audit)).not.toMatch(/ey[IJ][\w-]+\.|secret/);
  });
});

describe('the metrics', () => {
  it('count the outcomes of callers, by provider', async () => {
    await get(LIST, await first.sign());
    await get(LIST);
    const metrics = await (await fetch(`${api.internalUrl}/metrics`)).text();
    expect(metrics).toMatch(/^thv_reg_srv_auth_decisions_total\{provider="first",outcome="accepted"\} [1-9]/m);
    expect(metrics).toMatch(/^thv_reg_srv_auth_decisions_total\{provider="",outcome="missing"\} [1-9]/m);
  });
});

/** Returns the error of a challenge. Without a challenge of ours, returns the header, or undefined if there is none. */
function challengeOf({ headers }: RawAnswer): string | undefined {
  const challenge = headers['www-authenticate'];
  if (!challenge?.startsWith('Bearer realm="mcp-registry"')) return challenge;
  if (!challenge.includes(`resource_metadata="${api.url}/`)) return 'a challenge without resource_metadata';
  return /error="([^"]*)"/.exec(challenge)?.[1] ?? 'none';
}
