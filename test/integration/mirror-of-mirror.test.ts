import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { eventually } from '#support/eventually.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';
import { manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

const OFFICIAL = 'io.modelcontextprotocol.registry/official';
const SCORE = 'com.example.directory/score';

/** A block as a directory adds it. Parsing it to a JavaScript object and back would change it. */
const EXACT_SCORE = '{"10":1.0,"9":12345678901234567890,"votes":["a","b"]}';

interface Listed {
  readonly server: { readonly name: string };
  readonly _meta: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

let origin: Server;
let score = EXACT_SCORE;
let provider: OidcProvider;
let place: StandalonePlace;
let running: ShippedProcess;

/** Returns a page of three servers, one with more than the official block. Tests may change `score`. */
function originPage(): string {
  const times = '"publishedAt":"2026-01-01T00:00:00Z","updatedAt":"2026-02-01T00:00:00Z"';
  const server = (name: string, life: string, more = '') =>
    `{"server":{"name":"com.example/${name}","description":"About ${name}","version":"1.0.0"},
      "_meta":{"${OFFICIAL}":{${life},${times}}${more}}}`;
  const servers = [
    server('scored', '"status":"active"', `,"${SCORE}":${score}`),
    server('old', '"status":"deprecated","statusMessage":"use new","statusChangedAt":"2026-01-20T10:00:00.5Z"'),
    server('gone', '"status":"deleted","statusChangedAt":"2026-01-21T10:00:00Z"'),
  ];
  return `{"servers":[${servers.join(',')}],"metadata":{"count":3}}`;
}

function guarded(name: string, api: object): object {
  const issuer = { name: 'company', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true };
  const registry = mcpRegistry(name, [{ name: 'all', api, syncPolicy: { interval: '10s' } }]) as { spec: object };
  return { ...registry, spec: { ...registry.spec, auth: { mode: 'oauth', oauth: { providers: [issuer] } } } };
}

function secret(name: string, value: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    stringData: { value: `${value}\n` },
  };
}

beforeAll(async () => {
  origin = createServer((request, response) => {
    const isList = request.url?.startsWith('/v0.1/servers') ?? false;
    response.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' }).end(isList ? originPage() : '{}');
  }).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  provider = await OidcProvider.start([await createKey('RS256')]);
  place = await StandalonePlace.create();
  const ours = (name: string) => `${place.url}/default/${name}`;
  const clientCredentials = {
    tokenUrl: `${provider.issuer}/token`,
    clientId: 'editor:1',
    clientSecretRef: { name: 'client', key: 'value' },
    resource: 'urn:registry:RS256',
    scope: 'mcp-registry:read',
  };
  const { port } = origin.address() as AddressInfo;
  await place.edit(
    manifestOf(
      guarded('first', { endpoint: `http://127.0.0.1:${port}` }),
      guarded('second', { endpoint: ours('first'), auth: { clientCredentials } }),
      guarded('third', { endpoint: ours('second'), auth: { tokenSecretRef: { name: 'token', key: 'value' } } }),
      guarded('locked-out', { endpoint: ours('second') }),
      guarded('stranger', {
        endpoint: ours('second'),
        auth: { clientCredentials: { ...clientCredentials, clientSecretRef: { name: 'wrong', key: 'value' } } },
      }),
      secret('client', provider.secret),
      secret('token', await provider.sign({ exp: Math.floor(Date.now() / 1000) + 3600 })),
      secret('wrong', 'not-the-secret'),
    ),
  );
  running = place.start({ env: { TEMPORAL_ADDRESS: inject('temporalAddress'), MIN_SYNC_INTERVAL: '1s' } });
  await running.ready();
});

afterAll(async () => {
  await running?.end();
  await place?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
  origin?.close();
});

async function listOf(registry: string): Promise<{ text: string; servers: readonly Listed[] } | undefined> {
  const headers = { authorization: `Bearer ${await provider.issue('RS256')}` };
  const response = await fetch(`${place.url}/default/${registry}/v0.1/servers?include_deleted=true`, { headers }).catch(
    () => undefined,
  );
  if (response?.status !== 200) return undefined;
  const text = await response.text();
  const { servers } = JSON.parse(text) as { servers: Listed[] };
  return servers.length > 0 ? { text, servers } : undefined;
}

async function failureOf(registry: string): Promise<string> {
  const headers = { authorization: `Bearer ${await provider.issue('RS256')}` };
  return eventually(async () => {
    const response = await fetch(`${place.url}/default/${registry}/v1/sources/all`, { headers });
    const { syncStatus } = (await response.json()) as { syncStatus?: { phase?: string; message?: string } };
    return syncStatus?.phase === 'failed' ? syncStatus.message : undefined;
  });
}

it('passes the statements of a registry about its entries through two protected mirrors, and follows edits', async () => {
  const third = await eventually(() => listOf('third'));
  expect(third.text).toContain(`"${SCORE}":${EXACT_SCORE}`);
  const said = new Map(third.servers.map(({ server, _meta }) => [server.name, _meta]));
  expect(said.get('com.example/scored')?.[OFFICIAL]).toMatchObject({ status: 'active', isLatest: true });
  expect(said.get('com.example/old')?.[OFFICIAL]).toMatchObject({
    status: 'deprecated',
    statusMessage: 'use new',
    statusChangedAt: '2026-01-20T10:00:00.500Z',
    publishedAt: '2026-01-01T00:00:00.000Z',
  });
  expect(said.get('com.example/gone')?.[OFFICIAL]).toMatchObject({
    status: 'deleted',
    statusChangedAt: '2026-01-21T10:00:00.000Z',
  });
  expect(Object.keys(said.get('com.example/old') ?? {})).toEqual([OFFICIAL]);
  const updatedAt = said.get('com.example/scored')?.[OFFICIAL]?.['updatedAt'];

  score = '{"votes":[]}';
  const edited = await eventually(async () => {
    const { text, servers } = (await listOf('third')) ?? { text: '', servers: [] };
    return text.includes(`"${SCORE}":${score}`) ? servers : undefined;
  });
  const moved = edited.find(({ server }) => server.name === 'com.example/scored')?._meta[OFFICIAL]?.['updatedAt'];
  expect(moved, 'clients see another answer').not.toBe(updatedAt);
});

it('reports what a protected registry requires, without secrets', async () => {
  expect(await failureOf('locked-out')).toContain('it requires a login: set api.auth');
  const refused = await failureOf('stranger');
  expect(refused).toContain('check clientId and Secret wrong, key value');
  expect(refused).not.toContain('not-the-secret');
  expect(running.output).not.toContain(provider.secret);
  expect(running.output).not.toContain('not-the-secret');
});
