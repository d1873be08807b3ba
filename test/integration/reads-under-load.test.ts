import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWN_NAME } from '#domain/own-name.js';
import type { Auth } from '#spec/auth-spec.js';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { servedRegistries } from '#support/served-registries.js';

const MIB = 1024 * 1024;

/** A registry whose pages of 1000 entries have 2 MiB. */
const PAGE: ServedRegistry = { namespace: 'load', name: 'page', sources: ['main'], auth: { mode: 'anonymous' } };
/** A registry with 40 entries of half a MiB. */
const LARGE: ServedRegistry = { namespace: 'load', name: 'large', sources: ['main'], auth: { mode: 'anonymous' } };

/** A registry with 1000 entries whose titles and descriptions have 2 kB each. */
const WORDY: ServedRegistry = { namespace: 'load', name: 'wordy', sources: ['main'], auth: { mode: 'anonymous' } };

/** The longest text of an entry that a list of entries contains. */
const WIDE = '😀'.repeat(500);

let database: TestDatabase;
let rows: CatalogueRows;
const apis: RegistryApi[] = [];

async function startApi(options: Partial<RegistryApiOptions> = {}): Promise<RegistryApi> {
  const api = await startRegistryApi(apiOptions(database.app, [PAGE, LARGE, WORDY], options));
  apis.push(api);
  await api.catalogue.nextChange();
  return api;
}

function entry(number: number, bytes: number): EntryRow {
  const name = `io.load/n${String(number).padStart(5, '0')}`;
  // Random data, so that it takes effort to compress.
  const filler = randomBytes(bytes / 2).toString('hex');
  return { name, version: '1.0.0', serverJson: JSON.stringify({ name, filler }) };
}

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  for (const { namespace, name } of [PAGE, LARGE, WORDY]) {
    await rows.addRegistry(namespace, name);
    await rows.addSource(namespace, name, 'main');
  }
  await rows.publish(
    'load',
    'page',
    'main',
    Array.from({ length: 1000 }, (_, number) => entry(number, 2048)),
  );
  await rows.publish(
    'load',
    'large',
    'main',
    Array.from({ length: 40 }, (_, number) => entry(number, MIB / 2)),
  );
  await rows.publish(
    'load',
    'wordy',
    'main',
    Array.from({ length: 1000 }, (_, number) => ({ ...entry(number, 16), title: WIDE, description: WIDE })),
  );
});

afterAll(async () => {
  for (const api of apis) await api.close();
  await rows?.end();
  await database?.drop();
});

async function readInParallel(pattern: string, count: number, encoding: string, sockets = count): Promise<number[]> {
  const script = fileURLToPath(new URL('../support/parallel-reader.process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    pattern,
    String(count),
    encoding,
    String(sockets),
  ]);
  return JSON.parse(stdout) as number[];
}

/** Returns by how much the resident memory of the process grew at its peak while `work` ran. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  await work();
  clearInterval(timer);
  return most - before;
}

describe('memory', () => {
  it.each(['br', 'gzip', 'identity'])(
    'grows by less than 100 MiB while 200 clients request as many pages of 2 MiB (%s)',
    async (encoding) => {
      const api = await startApi();
      const url = `${api.url}/load/page/v0.1/servers`;
      // Warm up first, because the code that a first response loads and compiles does not depend on the number of
      // requests.
      await readInParallel(`${url}?limit=999&z={n}`, 4, encoding);
      const growth = await growthDuring(async () => {
        const sameQuery = await readInParallel(`${url}?limit=1000&z={n}`, 200, encoding);
        const otherQueries = await readInParallel(
          `${url}?limit=1000&updated_since=2025-01-01T00:00:00.{n}Z`,
          200,
          encoding,
        );
        expect(new Set([...sameQuery, ...otherQueries])).toEqual(new Set([200]));
      });
      expect(growth).toBeLessThan(100 * MIB);
    },
  );
});

describe('a page', () => {
  it('is truncated rather than exceeding its size, and its cursor leads to the rest', async () => {
    const api = await startApi();
    const names: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const query = new URLSearchParams({ limit: '1000', ...(cursor !== undefined && { cursor }) });
      const response = await fetch(`${api.url}/load/large/v0.1/servers?${query}`);
      const body = await response.text();
      expect(body.length).toBeLessThan(8.1 * MIB);
      expect(response.headers.get('x-total-count')).toBe('40');
      const page = JSON.parse(body) as {
        servers: { server: { name: string } }[];
        metadata: { count: number; nextCursor?: string };
      };
      expect(page.metadata.count).toBe(page.servers.length);
      names.push(...page.servers.map(({ server }) => server.name));
      cursor = page.metadata.nextCursor;
      pages++;
    } while (cursor !== undefined);
    expect(names).toEqual(Array.from({ length: 40 }, (_, number) => entry(number, 16).name));
    expect(pages).toBe(3);
  });
});

describe('admission', () => {
  /** Sends a request and reads no more than the start of the response. */
  async function hold(
    api: RegistryApi,
    path: string,
    encoding = 'identity',
  ): Promise<{ socket: Socket; head: string }> {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname).pause();
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: ${encoding}\r\n\r\n`);
    await once(socket, 'readable');
    return { socket, head: String(socket.read(512)) };
  }

  it('rejects responses with 503 while others use the memory for responses, and admits them again afterwards', async () => {
    // The index fits into the budget, but every document has to be fetched. A page of 4 MiB takes three times as much
    // memory.
    const api = await startApi({ catalogueBudget: MIB, answerMemoryBytes: 26 * MIB });
    const path = '/load/large/v0.1/servers?limit=8';
    const sockets = [await hold(api, path), await hold(api, `${path}&search=io`)];
    const refused = await fetch(`${api.url}${path}`);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toEqual({ error: expect.stringContaining('memory') as unknown });
    // Small responses are still served.
    expect((await fetch(`${api.url}/load/page/v0.1/servers?limit=1`)).status).toBe(200);
    for (const { socket } of sockets) socket.destroy();
    await expect.poll(async () => (await fetch(`${api.url}${path}`)).status).toBe(200);
  });

  it('counts compressed pages, and sends the plain page while others use the memory', async () => {
    const api = await startApi({ answerMemoryBytes: 26 * MIB });
    let count = 0;
    const page = () => `/load/large/v0.1/servers?limit=100&updated_since=2025-01-01T00:00:00.${count++}Z`;
    const held: { socket: Socket; head: string }[] = [];
    // A page of 8 MiB has between 4 and 5 MiB when compressed.
    for (let number = 0; number < 8; number++) held.push(await hold(api, page(), 'gzip'));
    const isCompressed = ({ head }: { head: string }) => head.includes('content-encoding: gzip');
    expect(held.map(isCompressed).slice(0, 4)).toEqual([true, true, true, true]);
    expect(held.map(isCompressed).slice(-2)).toEqual([false, false]);
    for (const { socket } of held) socket.destroy();
    await expect
      .poll(async () => {
        const again = await hold(api, page(), 'gzip');
        again.socket.destroy();
        return isCompressed(again);
      })
      .toBe(true);
  });

  it('counts what is read from the database for a response', async () => {
    const api = await startApi({ answerMemoryBytes: 10 * MIB });
    const path = '/load/wordy/v1/sources/main/entries';
    const held = [await hold(api, path), await hold(api, path)];
    const refused = await fetch(`${api.url}${path}`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await refused.json()).toEqual({ error: expect.stringContaining('memory') as unknown });
    expect((await fetch(`${api.url}${path}?limit=1`)).status).toBe(200);
    // Files that all responses share are not counted.
    expect((await fetch(`${api.url}/reference/swagger-ui-bundle.js`)).status).toBe(200);
    for (const { socket } of held) socket.destroy();
    await expect.poll(async () => (await fetch(`${api.url}${path}`)).status).toBe(200);
  });

  it('limits how many requests wait for the database', async () => {
    const api = await startApi();
    await rows.query('BEGIN');
    await rows.query('LOCK TABLE source IN ACCESS EXCLUSIVE MODE');
    let done = 0;
    const statuses = Array.from({ length: 200 }, async () => {
      const { status } = await fetch(`${api.url}/load/page/v1/sources`);
      done++;
      return status;
    });
    await expect.poll(() => done).toBeGreaterThanOrEqual(90);
    await rows.query('ROLLBACK');
    const refused = (await Promise.all(statuses)).filter((status) => status === 503).length;
    expect([refused >= 90, refused < 110]).toEqual([true, true]);
  });

  it('reports the remedy for a response that never fits', async () => {
    const api = await startApi({ catalogueBudget: MIB, answerMemoryBytes: MIB });
    const refused = await fetch(`${api.url}/load/large/v0.1/servers?limit=8`);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toMatch(/fewer entries per page, or raise the memory limit/);
  });
});

describe('requests that take long to compute', () => {
  const post = (path: string, body: object) => {
    const text = JSON.stringify(body);
    const head = `POST /load/page${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    return `${head}Content-Length: ${text.length}\r\n\r\n${text}`;
  };
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

  it.each<[string, (number: number) => string]>([
    ['a list', (number) => get(`/load/page/v0.1/servers?search=n${number}`)],
    ['the facets of a list', (number) => get(`/load/page/v0.1/x/${OWN_NAME}/facets?search=n${number}`)],
    ['a search', (number) => post('/search', { query: { text: `load ${number}` } })],
    ['an exploration', () => post('/explore', { resultType: { facets: [{ field: 'publisher' }] } })],
    ['a list of agents', (number) => get(`/load/page/agents?filter=displayName%3Dn${number}`)],
    ['a validation', (number) => post('/v0.1/validate', { name: `io.load/n${number}` })],
  ])('leave other requests their turn: %s', async (_, request) => {
    const api = await startApi();
    const { hostname, port } = new URL(api.url);
    const answers: (number | 'health')[] = [];
    const open = async (answer: number | 'health') => {
      const socket = connect(Number(port), hostname);
      // The first response shows that the server has accepted the connection.
      socket.write(get('/health'));
      await once(socket, 'data');
      return { socket, answered: once(socket, 'data').then(() => answers.push(answer)) };
    };
    const clients = await Promise.all(Array.from({ length: 40 }, (_, number) => open(number)));
    const other = await open('health');
    clients.forEach(({ socket }, number) => socket.write(request(number)));
    other.socket.write(get('/health'));
    await Promise.all([...clients, other].map(({ answered }) => answered));
    expect(answers.indexOf('health')).toBeLessThan(20);
    for (const { socket } of [...clients, other]) socket.destroy();
  });
});

describe('names that every object inherits', () => {
  it('have no special meaning anywhere in a request', async () => {
    const closed: Auth = NOBODY_IN;
    const api = await startApi({ registries: servedRegistries([PAGE, { ...LARGE, auth: closed }]) });
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      const paths = [
        `/v0.1/servers?${name}=1`,
        `/v0.1/servers?${name}=1&${name}=2`,
        `/v0.1/servers?${name}[${name}]=1`,
        `/v0.1/servers?search=${name}&tag=${name}&version=${name}&registry_type=${name}`,
        `/v0.1/servers?transport=${name}`,
        `/v0.1/servers?limit=${name}`,
        `/v0.1/servers?cursor=${name}`,
        `/v0.1/servers/${name}/versions/${name}`,
        `/v0.1/servers/${name}%2F${name}/versions`,
        `/registry/${name}/v0.1/servers`,
        `/v1/sources/${name}`,
        `/v1/registries/${name}`,
        `/${name}/${name}/v0.1/servers`,
        `/load/large/registry/${name}/v0.1/servers`,
        `/reference/${name}`,
        `/${name}`,
      ];
      const headers = {
        'accept-encoding': `${name}, ${name};q=0.5`,
        'content-encoding': name,
        'content-type': name,
        'if-none-match': name,
        accept: `${name}, */*`,
        authorization: `${name} ${name}`,
        'x-request-id': name,
      };
      for (const path of paths) {
        for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
          const body = method === 'POST' ? { body: `{"${name}":{"${name}":1}}` } : {};
          const response = await fetch(`${api.url}${path}`, { method, headers, ...body });
          expect(`${method} ${path} ${response.status < 500}`).toBe(`${method} ${path} true`);
          await response.arrayBuffer();
        }
      }
    }
  });
});

describe('the audit log', () => {
  it('counts reads by the names of existing sources, and all others together', async () => {
    const lines: { msg: string; source?: string; reads: number }[] = [];
    const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const open: Auth = { ...(NOBODY_IN as Auth & { mode: 'oauth' }), publicPaths: ['/registry'] };
    const api = await startApi({ registries: servedRegistries([{ ...PAGE, auth: open }]), logger });
    await readInParallel(`${api.url}/registry/${'x'.repeat(500)}{n}/v0.1/servers`, 10_000, 'identity', 20);
    for (const source of ['main', 'page']) await fetch(`${api.url}/registry/${source}/v0.1/servers`);
    await api.close();
    const sums = Map.groupBy(
      lines.filter(({ msg }) => msg === 'reads allowed'),
      ({ source }) => source,
    );
    const counts = Array.from(sums, ([source, each]) => [source, each.reduce((sum, { reads }) => sum + reads, 0)]);
    expect(Object.fromEntries(counts)).toEqual({ '(unknown)': 10_000, main: 1, page: 1 });
  });
});
