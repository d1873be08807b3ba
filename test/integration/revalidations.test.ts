import { tracingChannel } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { Auth } from '#spec/auth-spec.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const ONE: ServedRegistry = { namespace: 'default', name: 'one', sources: [], auth: { mode: 'anonymous' } };
const OTHER: ServedRegistry = { namespace: 'default', name: 'other', sources: [], auth: { mode: 'anonymous' } };

let database: TestDatabase;
let rows: CatalogueRows;
let api: RegistryApi;
/** The registries that the API serves. Tests change them while it runs. */
const served: ServedRegistry[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  for (const { namespace, name } of [ONE, OTHER]) {
    await rows.addRegistry(namespace, name);
    await rows.addSource(namespace, name, 's');
    await rows.publish(namespace, name, 's', [{ name: `io.${name}/server`, version: '1.0.0' }]);
  }
  api = await start();
});

async function start(): Promise<RegistryApi> {
  const started = await startRegistryApi(apiOptions(database.app, served));
  await started.catalogue.nextChange();
  return started;
}

afterAll(async () => {
  await api?.close();
  await rows?.end();
  await database?.drop();
});

beforeEach(() => serve(ONE));

function serve(...registries: ServedRegistry[]): void {
  served.splice(0, Infinity, ...registries);
}

/** Number of requests that Fastify has routed to a handler, counted by its diagnostics channel. */
let handled = 0;
/** Value of `handled` before the last request. */
let handledBefore = 0;
const count = () => void handled++;
const handlerStart = tracingChannel('fastify.request.handler').start;
handlerStart.subscribe(count);
afterAll(() => void handlerStart.unsubscribe(count));

/** Whether the last request took the normal path, through all of Fastify and Nest. */
const wasRouted = () => handled > handledBefore;

type Again = (headers?: Record<string, string>, method?: string) => Promise<Response>;

/** Fetches a URL, and returns a function that revalidates the response. */
async function had(path: string, { url } = api): Promise<Again> {
  const etag = (await fetch(`${url}${path}`)).headers.get('etag') as string;
  return (headers = {}, method = 'GET') => {
    handledBefore = handled;
    return fetch(`${url}${path}`, { method, headers: { 'if-none-match': etag, ...headers } });
  };
}

/** Like `had`, but revalidates until the short path is taken. */
async function known(path: string, of = api): Promise<Again> {
  const again = await had(path, of);
  expect((await again()).status).toBe(304);
  expect((await again()).status).toBe(304);
  expect(wasRouted()).toBe(false);
  return again;
}

/**
 * Returns the headers without those of the connection, because fetch sends HEAD requests over a separate connection.
 */
function headersOf({ headers }: Response): Record<string, string> {
  const { date: _, connection: __, 'keep-alive': ___, ...all } = Object.fromEntries(headers);
  return all;
}

describe('a client that revalidates its copy', () => {
  const path = '/v0.1/servers/io.one%2Fserver/versions/latest';

  it.each([path, '/v0.1/servers', '/default/one/registry/s/v0.1/servers?limit=1'])(
    'gets the same headers each time: %s',
    async (url) => {
      // Publish a new edition, for which no request has been made yet.
      await rows.publish('default', 'one', 's', [{ name: 'io.one/server', version: '1.0.0', title: url }]);
      await expect.poll(async () => (await fetch(`${api.url}${path}`)).text()).toContain(JSON.stringify(url));
      const again = await had(url);
      const first = await again();
      expect(wasRouted()).toBe(true);
      expect(headersOf(first)).toMatchObject({ 'cache-control': 'public, no-cache', vary: 'Accept-Encoding' });
      for (const method of ['GET', 'HEAD', 'GET']) {
        const answer = await again({}, method);
        expect(wasRouted()).toBe(false);
        expect(answer.status).toBe(304);
        expect(await answer.text()).toBe('');
        expect(headersOf(answer)).toEqual(headersOf(first));
      }
    },
  );

  it('learns of a change, and of everything that takes precedence', async () => {
    const again = await known(path);
    expect((await again({ accept: 'text/html' })).status).toBe(406);
    expect((await again({}, 'POST')).status).toBe(405);
    expect((await again({ 'if-none-match': '"another"' })).status).toBe(200);
    expect((await again({ 'if-none-match': '' })).status).toBe(200);

    await rows.publish('default', 'one', 's', [{ name: 'io.one/server', version: '2.0.0' }]);
    await expect.poll(async () => (await again()).text()).toContain('"version":"2.0.0"');
  });

  it('gets a 304 at once as long as nothing has changed, however often the catalogue is reread', async () => {
    const again = await known('/v0.1/servers');
    const looked = api.catalogue.nextChange();
    await rows.notify('default', 'one');
    await looked;
    expect((await again()).status).toBe(304);
    expect(wasRouted()).toBe(false);

    await rows.publish('default', 'other', 's', [{ name: 'io.other/server', version: '1.1.0' }]);
    await expect.poll(async () => (await again()).status === 304 && wasRouted()).toBe(true);
    expect((await again()).status).toBe(304);
    expect(wasRouted()).toBe(false);
  });

  it('gets its response in order among others on the same connection', async () => {
    const again = await known(path);
    const etag = (await again()).headers.get('etag');
    const condition = `If-None-Match: ${etag}\r\n`;
    const asked = [condition, '', condition, condition, 'Connection: close\r\n'];
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(asked.map((lines) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`).join(''));
    const received = (await socket.toArray()).join('');
    expect(Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status)).toEqual(
      asked.map((lines) => (lines === condition ? '304' : '200')),
    );
  });

  it('learns that its connection will be closed while the server drains', async () => {
    const draining = await start();
    try {
      const again = await known(path, draining);
      expect((await again()).headers.get('connection')).toBe('keep-alive');
      draining.drain();
      const answer = await again();
      expect(answer.status).toBe(304);
      expect(answer.headers.get('connection')).toBe('close');
      expect(wasRouted()).toBe(false);
    } finally {
      await draining.close();
    }
  });

  it('gets a 404 even if the tag is one of this catalogue', async () => {
    const etag = (await fetch(`${api.url}/v0.1/servers`)).headers.get('etag') as string;
    for (const [url, status] of [
      ['/v0.1/servers/io.one%2Fnone/versions/latest', 404],
      ['/v0.1/servers?limit=none', 400],
      ['/none', 404],
    ] as const) {
      for (let times = 0; times < 3; times++) {
        expect((await fetch(`${api.url}${url}`, { headers: { 'if-none-match': etag } })).status).toBe(status);
      }
    }
  });

  it('must authenticate as soon as the registry requires it', async () => {
    const again = await known('/v0.1/servers');
    serve({ ...ONE, auth: NOBODY_IN });
    expect((await again()).status).toBe(401);
    serve(ONE);
    expect((await again()).status).toBe(304);
  });

  it('gets a Vary header from a registry with private parts', async () => {
    serve({ ...ONE, auth: { ...NOBODY_IN, publicRead: ['s'] } as Auth });
    const again = await had('/v0.1/servers');
    for (let times = 0; times < 3; times++) {
      expect(headersOf(await again())).toMatchObject({
        'cache-control': 'private, no-cache',
        vary: 'Accept-Encoding, Authorization',
      });
    }
    // A token that no provider is responsible for grants access to what is public, and to nothing else.
    expect((await again({ authorization: 'Bearer made-up' })).status).toBe(304);
  });

  it('gets the content of another registry once that is served in its place', async () => {
    serve(ONE, OTHER);
    const [atRoot, named] = [await known('/v0.1/servers'), await known('/default/one/v0.1/servers')];
    serve(OTHER, ONE);
    expect(await (await atRoot()).json()).toMatchObject({ servers: [{ server: { name: 'io.other/server' } }] });
    expect((await named()).status).toBe(304);
    serve(OTHER);
    expect((await named()).status).toBe(404);
  });

  it('gets the content of a registry that is served where a source was', async () => {
    const again = await known('/registry/s/v0.1/servers');
    serve(ONE, { namespace: 'registry', name: 's', sources: [], auth: NOBODY_IN });
    expect((await again()).status).toBe(401);
  });

  it('learns when its copy may be out of date', async () => {
    const again = await known('/v0.1/servers');
    const run = (id: string, reason: string | null) =>
      rows.query(
        `INSERT INTO sync_run (workflow_id, source_id, trigger, started_at, finished_at, failure_reason)
         SELECT $1, id, 'interval', now(), now(), $2 FROM source WHERE registry = 'one'`,
        [id, reason],
      );
    const isStale = async () => {
      const answer = await again();
      expect(answer.status).toBe(304);
      return answer.headers.has('x-registry-stale');
    };
    expect(await isStale()).toBe(false);
    await run('failed', 'Unreachable');
    await rows.notify('default', 'one');
    await expect.poll(isStale).toBe(true);
    for (let times = 0; times < 2; times++) expect(await isStale()).toBe(true);
    // A registry without stale data still takes the short path.
    serve(ONE, OTHER);
    await known('/default/other/v0.1/servers');
    await run('good', null);
    await rows.notify('default', 'one');
    await expect.poll(isStale).toBe(false);
  });

  it('is counted on the route that it requested', async () => {
    const counted = async () => {
      const metrics = await (await fetch(`${api.internalUrl}/metrics`)).text();
      const line = /^thv_reg_srv_http_requests_total\{method="GET",route="\/v0.1\/servers",status_code="304"\} (\d+)$/m;
      return Number(line.exec(metrics)?.[1] ?? 0);
    };
    const before = await counted();
    const again = await known('/v0.1/servers');
    await again();
    // The two requests of `known` count as well. The first of them took the regular path, which is counted a moment
    // later, when the request is complete.
    await expect.poll(counted).toBe(before + 3);
  });
});
