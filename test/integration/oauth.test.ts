import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, INTROSPECTION_PATH, OidcProvider } from '#support/oidc-provider.js';
import { servedRegistries } from '#support/served-registries.js';

const LIST = '/v0.1/servers';
const JWKS_PATH = '/jwks';

let database: TestDatabase;
let rows: CatalogueRows;
let first: OidcProvider;
let second: OidcProvider;
let api: RegistryApi;
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

const providerOf = (name: string, { issuer }: OidcProvider, fields: object = {}) => ({
  name,
  issuerUrl: issuer,
  audience: AUDIENCE,
  allowPrivateIP: true,
  ...fields,
});

/** `guarded` knows both providers, and only the first introspects; `half` is open in part; `scoped` demands scopes. */
function guardedRegistries(): ServedRegistry[] {
  const introspection = {
    introspectionUrl: `${first.issuer}${INTROSPECTION_PATH}`,
    clientId: 'registry',
    clientSecretRef: { name: 'client', key: 'secret' },
  };
  const providers = [providerOf('second', second), providerOf('first', first, introspection)];
  const named = (name: string, auth: object): ServedRegistry => ({ namespace: 'default', name, auth: oauth(auth) });
  return [
    named('guarded', { oauth: { providers } }),
    named('half', { publicRead: ['public'], oauth: { providers, resourceUrl: 'https://registry.example.com/team/' } }),
    named('scoped', {
      oauth: { providers, requiredScopes: { read: 'mcp-registry:read', write: 'mcp-registry:write' } },
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
  it.each(['RS256', 'PS256', 'ES256', 'opaque'])('lets its holder in: %s', async (format) => {
    expect(await names(LIST, await first.issue(format))).toEqual(['io.inner/one', 'io.public/one']);
  });

  it('lets its holder in: EdDSA', async () => {
    const key = first.keys.find(({ alg }) => alg === 'EdDSA');
    expect(await names(LIST, await first.sign({}, {}, key))).toHaveLength(2);
  });

  it('is asked about once, and its keys are fetched once', async () => {
    const before = await first.counts();
    const [opaque, signed] = [await first.issue('opaque'), await first.issue('ES256')];
    for (const token of [opaque, signed, opaque, signed]) expect((await get(LIST, token)).status).toBe(200);
    const after = await first.counts();
    expect(after[INTROSPECTION_PATH]).toBe((before[INTROSPECTION_PATH] ?? 0) + 1);
    expect(after[JWKS_PATH]).toBe(1);
  });
});
