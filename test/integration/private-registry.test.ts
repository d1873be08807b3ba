import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { selfSigned, signed } from '#support/certificates.js';
import { eventually } from '#support/eventually.js';
import { listServers, manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';

const TOKEN = 'issued-token';
const PAGE = {
  servers: [{ server: { name: 'com.example/private', description: 'Private', version: '1.0.0' }, _meta: {} }],
  metadata: { count: 1 },
};

let directory: string;
let registry: Server;
let place: StandalonePlace;
let running: ShippedProcess;
/** Paths of the requests received. */
const asked: string[] = [];

/** Answers as a registry and its token endpoint, whose certificate is signed by a private authority. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`${request.method} ${request.url?.split('?')[0]}`);
  const isToken = request.method === 'POST' && request.url === '/token';
  const isKnown = isToken || request.headers.authorization === `Bearer ${TOKEN}`;
  const body = isToken ? { access_token: TOKEN, token_type: 'Bearer', expires_in: 600 } : isKnown ? PAGE : {};
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const authorities = (name: string, pem: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { 'ca.crt': pem },
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'private-registry-'));
  const authority = await selfSigned(directory, 'authority');
  const stranger = await selfSigned(directory, 'stranger');
  const { cert, key } = await signed(directory, 'registry', { ca: authority, altName: 'IP:127.0.0.1' });
  registry = createServer({ cert: await readFile(cert), key: await readFile(key) }, answer).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const endpoint = `https://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  const clientSecretRef = { name: 'client', key: 'secret' };
  const clientCredentials = { tokenUrl: `${endpoint}/token`, clientId: 'mirror', clientSecretRef };
  const source = (caCertRef?: object) => [
    { name: 'all', api: { endpoint, auth: { clientCredentials }, ...(caCertRef && { caCertRef }) } },
  ];
  place = await StandalonePlace.create();
  await place.edit(
    manifestOf(
      mcpRegistry('trusting', source({ name: 'authority', key: 'ca.crt' })),
      mcpRegistry('trusting-others', source({ name: 'stranger', key: 'ca.crt' })),
      mcpRegistry('trusting-nothing', source({ name: 'words', key: 'ca.crt' })),
      mcpRegistry('plain', source()),
      authorities('authority', await readFile(authority.cert, 'utf8')),
      authorities('stranger', await readFile(stranger.cert, 'utf8')),
      authorities('words', 'no certificate'),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'client', namespace: 'default' },
        stringData: { secret: 's3cret' },
      },
    ),
  );
  running = place.start({ env: { TEMPORAL_ADDRESS: inject('temporalAddress') } });
  await running.ready();
});

afterAll(async () => {
  await running?.end();
  await place?.[Symbol.asyncDispose]();
  registry?.close();
  await rm(directory, { recursive: true, force: true });
});

const failureOf = (name: string) =>
  eventually(async () => {
    const response = await fetch(`${place.url}/default/${name}/v1/sources/all`);
    const { syncStatus } = (await response.json()) as { syncStatus?: { phase?: string; message?: string } };
    return syncStatus?.phase === 'failed' ? syncStatus.message : undefined;
  });

it('is mirrored with a login, with the authority of the source', async () => {
  const names = await eventually(async () => {
    const servers = await listServers(`${place.url}/default/trusting`);
    return servers?.length ? servers : undefined;
  });
  expect(names).toHaveLength(1);
  expect(asked).toContain('POST /token');
});

it.each([['plain'], ['trusting-others']])('is not trusted without its authority: %s', async (name) => {
  expect(await failureOf(name)).toMatch(/certificate.*api\.caCertRef/s);
});

it('is not requested if the authority is not a certificate', async () => {
  expect(await failureOf('trusting-nothing')).toContain('ConfigMap words, key ca.crt holds no certificate');
});
