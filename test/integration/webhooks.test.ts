import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { rawRequest } from '#support/raw-request.js';
import { RegistryWorld } from '#support/registry-world.js';
import { listServers, manifestOf } from '#support/standalone-process.js';

const ADDRESS = 'https://git.example/acme/catalogue.git';
const SECRET = 'a secret of enough bytes';
const ROTATED = 'another secret, also long enough';

let repository: GitRepository;
let world: RegistryWorld;
let api: RegistryApi;

const secret = (name: string, token: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { token },
});

const manifests = (token: string) =>
  manifestOf(
    {
      apiVersion: 'toolhive.stacklok.dev/v1alpha1',
      kind: 'MCPRegistry',
      metadata: { name: 'team' },
      spec: {
        auth: { mode: 'anonymous' },
        registries: [
          { name: 'ours', git: { repository: ADDRESS, path: 'registry.json' }, syncPolicy: { interval: '1h' } },
        ],
        webhooks: [
          { name: 'push', type: 'github', secretRef: { name: 'hook' } },
          { name: 'any', type: 'hmac', secretRef: { name: 'hook' }, sources: ['ours'] },
          { name: 'missing', type: 'github', secretRef: { name: 'absent' } },
          { name: 'weak', type: 'github', secretRef: { name: 'weak' } },
        ],
      },
    },
    secret('hook', token),
    secret('weak', 'x'.repeat(15)),
  );

beforeAll(async () => {
  repository = await createGitRepository();
  await repository.commit({ 'registry.json': toolhiveCatalogue(2) });
  world = await startWorld();
  api = await world.serve();
  await world.nthRun('ours', 1);
});

const startWorld = () =>
  RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: manifests(SECRET),
    minSyncIntervalMs: 2_000,
    settings: { urlRewrites: [{ from: ADDRESS, to: repository.url }] },
  });

afterAll(async () => {
  await world?.stop();
  await repository?.[Symbol.asyncDispose]();
});

const sign = (body: string | Uint8Array, key = SECRET) =>
  `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

async function send(
  hook: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${api.url}/v1/hooks/${hook}`, { method: 'POST', body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Sends a delivery like GitHub. */
const push = (body: string | Uint8Array<ArrayBuffer>, key = SECRET, event = 'push') =>
  send('push', body, { 'x-github-event': event, 'x-hub-signature-256': sign(body, key) });

const MISMATCH = { error: 'the signature does not match' };

it('a thousand deliveries at once lead to two syncs at most', async () => {
  // In the registry of the other tests, their deliveries may still cause a sync.
  const quiet = await startWorld();
  onTestFinished(() => quiet.stop());
  await quiet.nthRun('ours', 1);
  const runs = quiet.runs.length;
  // A burst is over long before the minimum time between two syncs has passed for the second time.
  const { url } = await quiet.serve(60_000);
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, at) => {
      const body = `{"burst":${at}}`;
      const headers = { 'x-github-event': 'push', 'x-hub-signature-256': sign(body) };
      return (await fetch(`${url}/v1/hooks/push`, { method: 'POST', body, headers })).status;
    }),
  );
  expect(answers.every((status) => status === 202 || status === 503)).toBe(true);
  expect(answers).toContain(202);
  await eventually(() => quiet.runs.length > runs || undefined);
  const triggers = quiet.runs.slice(runs).map(({ outcome }) => outcome.trigger);
  expect(triggers.length).toBeLessThanOrEqual(2);
  expect(new Set(triggers)).toEqual(new Set(['push']));
});

describe('a delivery', () => {
  it('gets the same rejection without a proof, with a wrong one and with two of them, without a challenge', async () => {
    const missing = await send('push', '{}', { 'x-github-event': 'push' });
    const wrong = await push('{}', ROTATED);
    for (const { status, body, headers } of [missing, wrong]) {
      expect({ status, body }).toEqual({ status: 401, body: MISMATCH });
      expect(headers.get('www-authenticate')).toBeNull();
    }
    const signature = sign('');
    const twice = ['x-hub-signature-256', signature, 'x-hub-signature-256', signature, 'x-github-event', 'push'];
    const answer = await rawRequest(api.url, '/v1/hooks/push', twice, 'POST');
    expect(answer).toMatchObject({ status: 401, body: JSON.stringify(MISMATCH) });
  });

  it('gets a 404 for an unknown webhook, and a 405 for another method', async () => {
    expect((await send('nothing', '{}')).status).toBe(404);
    expect((await fetch(`${api.url}/v1/hooks/push`)).status).toBe(405);
  });

  it('gets a 503 while its secret is missing or weak, and the list of webhooks contains the reason without the secret', async () => {
    expect((await send('missing', '{}')).status).toBe(503);
    const weak = await send('weak', '{}', { 'x-hub-signature-256': sign('{}', 'x'.repeat(15)) });
    expect(weak.status).toBe(503);
    expect(weak.headers.get('retry-after')).toBe('60');
    const list = await (await fetch(`${api.url}/v1/hooks`)).text();
    expect(JSON.parse(list)).toMatchObject({
      hooks: [
        { name: 'push', type: 'github', url: `${api.url}/v1/hooks/push`, sources: ['ours'] },
        { name: 'any' },
        { name: 'missing', lastRefused: { why: expect.stringContaining('absent') } },
        { name: 'weak', lastRefused: { why: 'Secret weak, key token, has less than 16 bytes' } },
      ],
    });
    expect(list).not.toMatch(new RegExp(`${SECRET}|x{15}`));
  });

  it('of another event gets a response and is ignored', async () => {
    expect(await push('{"zen":"a"}', SECRET, 'ping')).toMatchObject({ status: 200, body: { ignored: true } });
  });

  it('is verified over its raw bytes, whatever their type, and chunked', async () => {
    const runs = world.runs.length;
    const bytes = new Uint8Array([0xff, 0xfe, 0, 0x80]);
    for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/plain; charset=utf-16', 'x/y']) {
      const body = new Uint8Array([...bytes, ...Buffer.from(type)]);
      const headers = { 'content-type': type, 'x-signature': sign(body) };
      expect(await send('any', body, headers)).toMatchObject({ status: 202, body: { sources: ['ours'] } });
    }
    const response = await fetch(`${api.url}/v1/hooks/any`, {
      method: 'POST',
      headers: { 'x-signature': sign('in two parts') },
      body: ReadableStream.from([Buffer.from('in two '), Buffer.from('parts')]),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(202);
    await eventually(() => world.runs.length > runs || undefined);
  });

  it('is rejected if it is compressed, or larger than 5 MiB', async () => {
    const encoded = await send('any', 'x', { 'x-signature': sign('x'), 'content-encoding': 'gzip' });
    expect(encoded.status).toBe(415);
    const limit = 5 * 1024 * 1024;
    const large = new Uint8Array(limit + 1);
    expect((await send('any', large, { 'x-signature': sign(large) })).status).toBe(413);
    const largest = large.subarray(1);
    expect((await send('any', largest, { 'x-signature': sign(largest) })).status).toBe(202);
  });

  it('is a duplicate when it is repeated', async () => {
    const body = '{"once":true}';
    const headers = { 'x-signature': sign(body) };
    expect((await send('any', body, headers)).status).toBe(202);
    expect(await send('any', body, headers)).toMatchObject({ status: 200, body: { duplicate: true } });
    const upper = { 'x-signature': `sha256=${sign(body).slice(7).toUpperCase()}` };
    expect(await send('any', body, upper)).toMatchObject({ status: 200, body: { duplicate: true } });
  });

  it('is rejected while four bodies are being read', async () => {
    const sockets: Socket[] = [];
    try {
      for (let count = 0; count < 4; count++) sockets.push(await slowDelivery());
      const fifth = await eventually(async () => {
        const answer = await push(`{"slow":${Math.random()}}`);
        return answer.status === 503 ? answer : undefined;
      });
      expect(fifth.headers.get('retry-after')).toBe('2');
    } finally {
      sockets.forEach((socket) => socket.destroy());
    }
    await eventually(async () => (await push(`{"slow":${Math.random()}}`)).status === 202 || undefined);
  });
});

/** Starts a delivery that sends the headers and no body. */
async function slowDelivery(): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`POST /v1/hooks/push HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 10\r\n\r\n`);
  return socket;
}

it('a push to a git repository is visible after its delivery, although the interval is an hour', async () => {
  await repository.commit({ 'registry.json': toolhiveCatalogue(3) });
  expect((await push('{"ref":"refs/heads/main"}')).status).toBe(202);
  await eventually(async () => (await listServers(api.url))?.length === 3 || undefined);
});

it('a rotated secret is used from the next delivery on', async () => {
  await world.edit(manifests(ROTATED));
  await eventually(async () => (await push('{"rotated":1}', ROTATED)).status === 202 || undefined);
  expect(await push('{"rotated":2}', SECRET)).toMatchObject({ status: 401, body: MISMATCH });
  // Restore the first secret, because the other tests sign with it and the tests may run in any order.
  await world.edit(manifests(SECRET));
  await eventually(async () => (await push('{"rotated":3}', SECRET)).status === 202 || undefined);
});

it('deliveries are counted by webhook and outcome', async () => {
  await push('{"counted":1}');
  await push('{"counted":2}', SECRET, 'ping');
  await push('{"counted":3}', 'not the secret');
  for (let times = 0; times < 2; times++) await send('any', 'counted', { 'x-signature': sign('counted') });
  const metrics = await (await fetch(`${api.internalUrl}/metrics`)).text();
  for (const outcome of ['accepted', 'ignored', 'refused']) {
    expect(metrics).toMatch(
      new RegExp(`^thv_reg_srv_hook_deliveries_total\\{hook="push",outcome="${outcome}"\\} [1-9]`, 'm'),
    );
  }
  expect(metrics).toContain('hook="any",outcome="duplicate"');
});
