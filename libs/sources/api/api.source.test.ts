import type { RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RegistryError } from '#domain/registry-error.js';
import { startHttpServer, startTcpServer } from '#http/testing/http-server.js';
import { server } from '../testing/catalogue-file.js';
import { apiSource } from './api.source.js';
import { OFFICIAL } from './lifecycle.js';
import { createApiContext, walkAll } from './testing/api-context.js';
import type { TestApiContext, Walked } from './testing/api-context.js';
import type { WalkOptions } from '../pages.js';

type Listed = Record<string, unknown>;

const listed = (fields: Listed = {}, official?: Listed): Listed => ({
  server: server(fields),
  _meta: official ? { [OFFICIAL]: official } : {},
});

const numbered = (count: number, from = 0): Listed[] =>
  Array.from({ length: count }, (_, index) =>
    listed({ name: `com.example/s${String(from + index).padStart(5, '0')}` }),
  );

const page = (servers: unknown, nextCursor?: string) => JSON.stringify({ servers, metadata: { count: 1, nextCursor } });

const answer = (response: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

/** A registry that returns `size` servers per page. Its cursor is the index of the next server. */
function registryOf(servers: readonly Listed[], size: number, root = '/v0.1/servers'): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (url.pathname !== root) return answer(response, '{"error":"no such path"}', {}, 404);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const next = from + size < servers.length ? String(from + size) : undefined;
    return answer(response, page(servers.slice(from, from + size), next));
  };
}

const read = (
  endpoint: string,
  options: WalkOptions & { timeout?: string } = {},
  context: TestApiContext = createApiContext(),
): Promise<Walked> => {
  const { timeout, ...walk } = options;
  return walkAll(
    apiSource.pages({ endpoint, ...(timeout !== undefined && { timeout }) }, walk, context, apiSource.read),
  );
};

async function failureOf(endpoint: string, ...rest: [Parameters<typeof read>[1]?, TestApiContext?]) {
  const error: unknown = await read(endpoint, ...rest).then(
    ({ entries }) => `read ${entries.length} entries`,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'RegistryError' });
  return error as RegistryError;
}

describe('the spec', () => {
  it('accepts an endpoint and a limited timeout', () => {
    const faults = (spec: unknown) => apiSource.spec.safeParse(spec).error?.issues.map(({ message }) => message);
    expect(faults({ endpoint: 'http://a.example/base/', timeout: '5m' })).toBeUndefined();
    expect(faults({ endpoint: 'http://a.example', timeout: '5m1s' })).toEqual(['must be at most 5m']);
    expect(faults({ endpoint: 'http://a.example', timeout: '0s' })).toEqual(['must be longer than zero, such as 30m']);
    expect(faults({ endpoint: 'ftp://a.example' })).toHaveLength(1);
    expect(faults({ endpoint: 'https://user:secret@a.example' })).toHaveLength(1);
  });

  it('is shown without possible keys', () => {
    expect(apiSource.address({ endpoint: 'https://a.example/base?key=secret' })).toBe('https://a.example/base');
  });
});

describe('finding the API', () => {
  it.each(['', '/', '/base', '/base/', '/default/team/registry/x'])('works below %j', async (base) => {
    const root = `${base.replace(/\/$/, '')}/v0.1/servers`;
    await using registry = await startHttpServer(registryOf(numbered(3), 2, root));
    expect((await read(`${registry.url}${base}`)).entries).toHaveLength(3);
    expect(registry.requests).toEqual([
      `${root}?limit=100&include_deleted=true`,
      `${root}?limit=100&include_deleted=true&cursor=2`,
    ]);
  });

  it('falls back to the older name, and requests the newer one only once', async () => {
    await using registry = await startHttpServer(registryOf(numbered(3), 1, '/v0/servers'));
    expect((await read(registry.url)).entries).toHaveLength(3);
    expect(registry.requests.map((path) => path.split('?')[0])).toEqual([
      '/v0.1/servers',
      ...Array<string>(3).fill('/v0/servers'),
    ]);
  });

  it('reports where it looked, and the message of the server', async () => {
    await using registry = await startHttpServer(registryOf([], 1, '/elsewhere'));
    const failure = await failureOf(registry.url);
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
    expect(failure.message).toBe(
      `No registry API: ${registry.url}/v0.1/servers and ${registry.url}/v0/servers answered 404 Not Found (no such path): ` +
        'set api.endpoint to the URL to which /v0.1/servers is appended.',
    );
  });

  it('uses the rewritten URL, and keeps the query of the endpoint', async () => {
    await using mirror = await startHttpServer(registryOf(numbered(1), 1, '/mirror/base/v0.1/servers'));
    const urlRewrites = [{ from: 'https://registry.example.com/', to: `${mirror.url}/mirror/` }];
    const endpoint = 'https://registry.example.com/base?key=1';
    expect((await read(endpoint, {}, createApiContext({ urlRewrites }))).entries).toHaveLength(1);
    expect(mirror.requests).toEqual(['/mirror/base/v0.1/servers?key=1&limit=100&include_deleted=true']);
    const broken = createApiContext({ urlRewrites: [{ from: 'https://registry.example.com', to: 'nonsense' }] });
    expect(await failureOf(endpoint, {}, broken)).toMatchObject({ reason: 'ValidationFailed', destiny: 'stop' });
  });
});

describe('a walk', () => {
  it('continues after a stored cursor, and requests only changes throughout', async () => {
    await using registry = await startHttpServer(registryOf(numbered(250), 100));
    const { pages, entries } = await read(registry.url, { cursor: '100', updatedSince: '2026-01-01T00:00:00Z' });
    expect(entries.map(({ name }) => name)).toEqual(
      numbered(150, 100).map((entry) => (entry['server'] as Listed)['name']),
    );
    expect(pages.map(({ nextCursor }) => nextCursor)).toEqual(['200', undefined]);
    for (const path of registry.requests) expect(path).toContain('updated_since=2026-01-01T00%3A00%3A00Z');
  });

  it('passes cursors unchanged, whatever they contain', async () => {
    const cursor = 'a b+c/d=&e%2F"ü';
    const asked: (string | null)[] = [];
    await using registry = await startHttpServer((request, response) => {
      const given = new URL(request.url ?? '', 'http://localhost').searchParams.get('cursor');
      asked.push(given);
      answer(response, given === null ? page(numbered(1), cursor) : page(numbered(1, 1)));
    });
    await read(registry.url);
    expect(asked).toEqual([null, cursor]);
  });

  it('supports the cursors of older registries, and lists that are null', async () => {
    await using registry = await startHttpServer((request, response) => {
      const isFirst = !request.url?.includes('cursor=');
      answer(response, isFirst ? '{"servers":null,"metadata":{"next_cursor":"x"}}' : page(numbered(2), ''));
    });
    expect((await read(registry.url)).entries).toHaveLength(2);
  });

  it('returns an empty list as one page without entries', async () => {
    await using registry = await startHttpServer(registryOf([], 100));
    const { pages } = await read(registry.url);
    expect(pages).toEqual([{ items: [], entries: 0, digest: expect.any(String) }]);
  });

  it('reads gzip', async () => {
    await using registry = await startHttpServer((_, response) =>
      answer(response, gzipSync(page(numbered(50))), { 'content-encoding': 'gzip' }),
    );
    expect((await read(registry.url)).entries).toHaveLength(50);
  });

  it('starts over when the stored cursor is rejected', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, '{"error":"bad cursor"}', {}, 400));
    const failure = await failureOf(registry.url, { cursor: 'old' });
    expect(failure.constructor.name).toBe('CursorRefused');
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'retry' });
    expect(failure.message).toMatch(/answered 400 Bad Request \(bad cursor\)\. The walk has to start over\.$/);
    expect(await failureOf(registry.url)).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    await using registry = await startHttpServer(() => controller.abort(new Error('nobody wants it')));
    await expect(read(registry.url, {}, createApiContext({}, controller.signal))).rejects.toThrow('nobody wants it');
  });
});

describe('a registry that rejects parameters', () => {
  const OPTIONAL = ['include_deleted', 'limit', 'updated_since'];
  const subsets = [1, 2, 3, 4, 5, 6, 7].map((bits) => OPTIONAL.filter((_, index) => bits & (1 << index)));
  const refusing =
    (refused: readonly string[], status: number): RequestListener =>
    (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost');
      const isRefused = refused.some((name) => searchParams.has(name));
      if (isRefused) return answer(response, '{"error":"unknown parameter"}', {}, status);
      return registryOf(numbered(7), 3)(request, response);
    };

  it.each(subsets.flatMap((subset) => [400, 422].map((status) => [subset.join(), status] as const)))(
    'is read without %s, which it rejects with %s, and that is remembered',
    async (names, status) => {
      const refused = names.split(',');
      await using registry = await startHttpServer(refusing(refused, status));
      const context = createApiContext();
      const walk = () => read(registry.url, { updatedSince: '2026-02-01T00:00:00Z' }, context);
      expect((await walk()).entries).toHaveLength(7);
      const before = registry.requests.length;
      expect((await walk()).entries).toHaveLength(7);
      const again = registry.requests.slice(before);
      expect(again).toHaveLength(3);
      const kept = OPTIONAL.filter((name) => !refused.includes(name));
      if (refused.length === 1) for (const name of kept) expect(again[0]).toContain(name);
      expect(await apiSource.probe({ endpoint: registry.url }, {}, context)).toBeDefined();
      expect(await apiSource.probe({ endpoint: registry.url }, { etag: '"a"' }, context)).toBeDefined();
    },
  );

  it.each([403, 404, 501])('is read without deleted entries, which it rejects with %s', async (status) => {
    await using registry = await startHttpServer(refusing(['include_deleted'], status));
    const context = createApiContext();
    expect((await read(registry.url, {}, context)).entries).toHaveLength(7);
    const before = registry.requests.length;
    expect((await read(registry.url, {}, context)).entries).toHaveLength(7);
    expect(registry.requests.slice(before)).toHaveLength(3);
  });

  it('is requested once more, but not again, if it forbids everything', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, '{"error":"no"}', {}, 403));
    expect(await failureOf(registry.url)).toMatchObject({ reason: 'AuthFailed' });
    expect(registry.requests).toHaveLength(2);
  });

  it('is no longer asked for changes if it rejects the time', async () => {
    await using registry = await startHttpServer(refusing(['updated_since'], 400));
    const context = createApiContext();
    const probe = () => apiSource.probe({ endpoint: registry.url }, { updatedSince: '2026-02-01T00:00:00Z' }, context);
    for (let turn = 0; turn < 2; turn++) {
      expect(await probe()).toEqual({ verdict: 'unknown', because: 'the registry rejects updated_since' });
    }
    expect(registry.requests.at(-1)).not.toContain('updated_since');
  });

  it('is asked with all parameters by another owner, which does not know earlier rejections', async () => {
    let refused = ['limit'];
    await using registry = await startHttpServer((request, response) => refusing(refused, 400)(request, response));
    await read(registry.url);
    expect(registry.requests.at(-1)).not.toContain('limit');
    refused = [];
    await read(registry.url);
    expect(registry.requests.at(-1)).toContain('limit');
  });

  it('is not asked again after other failures, and fails with its own message if nothing helps', async () => {
    let status = 401;
    await using registry = await startHttpServer((_, response) => answer(response, '{"error":"no"}', {}, status));
    await failureOf(registry.url);
    expect(registry.requests).toHaveLength(1);
    status = 400;
    expect((await failureOf(registry.url)).message).toContain('answered 400 Bad Request (no)');
    expect(registry.requests.length).toBeLessThanOrEqual(5);
  });
});

describe('an endless list', () => {
  it.each<[string, (asked: number) => string, RegExp]>([
    [
      'the same cursor',
      (asked) => page(numbered(1, asked), 'x'),
      /returns a cursor on page 2 that it has returned before/,
    ],
    [
      'a ring of cursors',
      (asked) => page(numbered(1, asked), `${asked % 3}`),
      /a cursor on page 4 that it has returned before/,
    ],
    ['the same page', (asked) => page(numbered(2), `${asked}`), /returns the same entries as page 2 again/],
  ])('is detected: %s', async (_, body, message) => {
    let asked = 0;
    await using registry = await startHttpServer((_request, response) => answer(response, body(asked++)));
    const context = createApiContext({ limits: { maxPages: 20, maxEntries: 100 } });
    const failure = await failureOf(registry.url, {}, context);
    expect(failure).toMatchObject({ reason: 'InvalidData', destiny: 'wait' });
    expect(failure.message).toMatch(message);
  });

  it.each<[string, (asked: number) => string, RegExp]>([
    ['ever more pages', (asked) => page(numbered(1, asked), `${asked}`), /has more than 20 pages/],
    ['ever more entries', (asked) => page(numbered(40, asked * 40), `${asked}`), /has more than 100 entries/],
    [
      'ever more bytes',
      (asked) => page([listed({ name: `com.example/s${asked}`, title: 'x'.repeat(9_000) })], `${asked}`),
      /has more than 50000 bytes/,
    ],
  ])('fails permanently at its limit: %s', async (_, body, message) => {
    let asked = 0;
    await using registry = await startHttpServer((_request, response) => answer(response, body(asked++)));
    const limits = { maxPages: 20, maxEntries: 100, maxBytes: 50_000 };
    const failure = await failureOf(registry.url, {}, createApiContext({ limits }));
    expect(failure).toMatchObject({ reason: 'InvalidData', destiny: 'stop' });
    expect(failure.message).toMatch(message);
    const stored = { pages: 19, entries: 99, bytes: 49_900 };
    expect(await failureOf(registry.url, { cursor: 'x', stored }, createApiContext({ limits }))).toMatchObject({
      destiny: 'stop',
    });
    expect(asked).toBeLessThanOrEqual(22);
  });

  it('is detected when it returns to the start of a resumed walk', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, page(numbered(1), 'begin')));
    expect((await failureOf(registry.url, { cursor: 'begin' })).message).toMatch(
      /a cursor on page 1 that it has returned before/,
    );
  });
});

describe('a transient failure', () => {
  /** Returns a registry that produces each of the failures in turn before each page. */
  const failing = (...failures: RequestListener[]): [RequestListener, { asked: number }] => {
    const count = { asked: 0 };
    const good = registryOf(numbered(4), 2);
    const turns = [...failures, good];
    return [(request, response) => turns[count.asked++ % turns.length]?.(request, response), count];
  };

  const status =
    (code: number, headers: Record<string, string> = {}): RequestListener =>
    (_, response) =>
      answer(response, '', headers, code);

  it.each<[string, RequestListener[], string?]>([
    ['500 and 502', [status(500), status(502)]],
    ['408 and 429', [status(408), status(429, { 'retry-after': '0' })]],
    ['a connection that breaks off', [(request) => request.socket.destroy()]],
    [
      'an answer that is cut short',
      [(_, response) => void response.writeHead(200, { 'content-length': 99 }).write('{"s', () => response.destroy())],
    ],
    ['an answer that does not come', [() => undefined], '5s'],
  ])('is retried page by page: %s', async (_, failures, timeout = '30s') => {
    const [listener, count] = failing(...failures);
    await using registry = await startHttpServer(listener);
    const { entries } = await read(registry.url, { timeout });
    expect(entries).toHaveLength(4);
    expect(count.asked).toBe(2 * (failures.length + 1));
  });

  it('is not retried earlier than the server requests', async () => {
    const [listener, count] = failing(status(429, { 'retry-after': '1' }));
    await using registry = await startHttpServer(listener);
    const context = createApiContext();
    await read(registry.url, { cursor: '2' }, context);
    expect(context.notes).toEqual(['attempt 1 of 3 failed, the next one starts in 1s', 'page 1, 2 entries']);
    expect(count.asked).toBe(2);
  });

  it('ends the walk if the server requests too long a delay, or after some attempts', async () => {
    const [listener, count] = failing(status(503, { 'retry-after': '3600' }));
    await using registry = await startHttpServer(listener);
    expect(await failureOf(registry.url)).toMatchObject({ destiny: 'retry', retryAfterMs: 3_600_000 });
    expect(count.asked).toBe(1);

    await using dead = await startHttpServer(status(500));
    const failure = await failureOf(dead.url);
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'retry' });
    expect(failure.message).toContain('answered 500 Internal Server Error');
    expect(dead.requests).toHaveLength(3);
  });

  it('is reported for a hanging connection and for endless headers', async () => {
    await using hanging = await startTcpServer(() => undefined);
    const once = createApiContext({ retry: { attempts: 1 } });
    expect(await failureOf(hanging.url, { timeout: '200ms' }, once)).toMatchObject({
      reason: 'Unreachable',
      destiny: 'retry',
      message: `${hanging.url}/v0.1/servers did not respond within 200ms.`,
    });
  });
});

describe('a response that is not a list', () => {
  it.each<[string, string, Record<string, string>, string, RegExp]>([
    [
      'a login page',
      '<!doctype html><title>Log in</title>',
      { 'content-type': 'text/html' },
      'FormatMismatch',
      /is an HTML page, such as a login/,
    ],
    [
      'a page in disguise',
      '\n<html>',
      {},
      'FormatMismatch',
      /is an HTML or XML page, such as a login or error page: check that api\.endpoint/,
    ],
    ['nothing', '', {}, 'FormatMismatch', /is empty: check/],
    ['a bare list', '[{"name":"a/b"}]', {}, 'FormatMismatch', /is not a list of servers/],
    ['another object', '{"data":{"servers":[]},"version":"1.0.0"}', {}, 'FormatMismatch', /it has "data", "version"/],
    ["ToolHive's format", '{"servers":{"a":{}}}', {}, 'FormatMismatch', /it has "servers"/],
    [
      'half an answer',
      page(numbered(2)).slice(0, -40),
      {},
      'InvalidData',
      /is not valid JSON: it ends too early, at byte \d+/,
    ],
    [
      'broken JSON',
      '{"servers":[{"server":{"name":nonsense}}]}',
      {},
      'InvalidData',
      /is not valid JSON: .*near ".*nonsense/,
    ],
    [
      'a broken cursor',
      '{"servers":[],"metadata":{"nextCursor":5}}',
      {},
      'InvalidData',
      /nextCursor that is not valid text/,
    ],
  ])('reports what was received: %s', async (_, body, headers, reason, message) => {
    await using registry = await startHttpServer((_request, response) => answer(response, body, headers));
    const failure = await failureOf(registry.url);
    expect(failure).toMatchObject({ reason, destiny: 'wait' });
    expect(failure.message).toMatch(message);
    expect(failure.message).toContain(`${registry.url}/v0.1/servers`);
  });

  it('is reported when it requires a login, and when it redirects to a forbidden private address', async () => {
    await using closed = await startHttpServer((_, response) => answer(response, '{"error":"no token"}', {}, 401));
    expect(await failureOf(closed.url)).toMatchObject({ reason: 'AuthFailed', destiny: 'wait' });
    expect(closed.requests).toHaveLength(1);

    await using metadata = await startHttpServer((_, response) =>
      answer(response, '', { location: 'http://169.254.169.254/latest' }, 302),
    );
    expect((await failureOf(metadata.url)).message).toContain('to which requests are not allowed');
    const strict = createApiContext({ addressPolicy: 'public-only' });
    expect((await failureOf(closed.url, {}, strict)).message).toContain('is a private address');
  });

  it('is not read beyond its limit', async () => {
    await using registry = await startHttpServer(registryOf(numbered(100), 100));
    const failure = await failureOf(registry.url, {}, createApiContext({ limits: { maxPageBytes: 1000 } }));
    expect(failure).toMatchObject({ reason: 'InvalidData', destiny: 'wait' });
    expect(failure.message).toContain('answered with more than 1000 bytes');
  });
});

describe('a private host whose state must stay hidden', () => {
  it('fails with the same message, whatever listens there', async () => {
    const causes: string[] = [];
    const context = createApiContext({ concealedCause: (cause) => causes.push(cause), retry: { attempts: 1 } });
    await using page = await startHttpServer((_, response) => void response.end('<html>admin'));
    await using secret = await startHttpServer((_, response) => answer(response, '{"error":"token is abc"}', {}, 400));
    await using closed = await startHttpServer((_, response) => answer(response, '', {}, 401));
    await using other = await startHttpServer((_, response) => answer(response, '{"db":"x","token":"y"}'));
    const endpoints = [page.url, secret.url, closed.url, other.url, 'http://127.0.0.1:1', 'https://127.0.0.1:1'];
    for (const endpoint of endpoints) {
      const message = expect.stringMatching(
        /^http\S+ cannot be read\. It has a private address, so the cause is only in/,
      );
      const expected = { reason: 'Unreachable', destiny: 'retry', message };
      expect(await failureOf(endpoint, {}, context)).toMatchObject(expected);
    }
    expect(causes).toHaveLength(endpoints.length);
    await expect(apiSource.probe({ endpoint: closed.url }, {}, context)).rejects.toMatchObject({
      reason: 'Unreachable',
    });
  });

  it('is reported like any other after it has returned a page', async () => {
    const context = createApiContext({ concealedCause: () => undefined });
    await using registry = await startHttpServer((request, response) =>
      request.url?.includes('cursor') ? answer(response, '', {}, 400) : answer(response, page(numbered(1), 'next')),
    );
    expect((await failureOf(registry.url, {}, context)).message).toContain('400 Bad Request');
  });
});

describe('an entry', () => {
  async function readBody(body: string): Promise<Walked> {
    await using registry = await startHttpServer((_, response) => answer(response, body));
    return await read(registry.url);
  }

  it('keeps its bytes and the order of its fields', async () => {
    const exact =
      '{"version":"1.0.0","10":1.0,"9":12345678901234567890,"name":"a/b","$schema":"s","description":"\\u00e9é"}';
    const { entries } = await readBody(`{"servers":[{"_meta":{},"server": ${exact.replaceAll('":', '" : ')} }]}`);
    expect(entries.map(({ serverJson }) => serverJson)).toEqual([exact]);
  });

  it('keeps its lifecycle: deprecated and deleted entries are kept as such', async () => {
    const dates = {
      publishedAt: '2026-01-01T00:00:00.123456Z',
      updatedAt: '2026-02-01T01:00:00+01:00',
      isLatest: true,
    };
    const { entries, pages } = await readBody(
      page([
        listed({ name: 'a/active' }, { status: 'active', ...dates }),
        listed(
          { name: 'a/deprecated' },
          { status: 'deprecated', statusMessage: 'use b', statusChangedAt: 'once', ...dates },
        ),
        listed({ name: 'a/deleted' }, { status: 'deleted', ...dates, updatedAt: '2026-02-01T00:00:00.000001Z' }),
        listed({ name: 'a/silent' }),
        { server: server({ name: 'a/bare' }) },
      ]),
    );
    const times = {
      publishedAt: '2026-01-01T00:00:00.123456Z',
      updatedAt: '2026-02-01T00:00:00.000Z',
      isLatest: true,
    };
    expect(entries.map(({ name, status, lifecycle }) => [name, status, lifecycle])).toEqual([
      ['a/active', 'active', { status: 'active', ...times }],
      ['a/deprecated', 'deprecated', { status: 'deprecated', statusMessage: 'use b', ...times }],
      ['a/deleted', 'active', { status: 'deleted', ...times, updatedAt: '2026-02-01T00:00:00.000001Z' }],
      ['a/silent', 'active', undefined],
      ['a/bare', 'active', undefined],
    ]);
    expect(pages[0]?.latestUpdate).toBe('2026-02-01T00:00:00.000001Z');
  });

  it('may be the server itself, as in responses of older registries', async () => {
    const flat = { ...server({ name: 'a/flat' }), _meta: { [OFFICIAL]: { status: 'deprecated' }, 'com.example/x': 1 } };
    const { entries, quarantined } = await readBody(page([flat, server({ name: 'a/faulty', title: 5 }), listed()]));
    expect(entries.map(({ name, status, foreignMeta }) => [name, status, foreignMeta])).toEqual([
      ['a/flat', 'deprecated', undefined],
      ['com.example/search', 'active', undefined],
    ]);
    expect(quarantined).toMatchObject([{ key: 'a/faulty', path: 'title' }]);
  });

  it.each([
    [`"_meta":{"${OFFICIAL}":{"status":"active","x":[1,{}]}},`, ''],
    [`"_meta":{"${OFFICIAL}":{},"com.example/x":{"n":1.0}},`, '"_meta":{"com.example/x":{"n":1.0}},'],
    [`"_meta":{"com.example/ü":"é,}","${OFFICIAL}":{},"b":[]},`, '"_meta":{"com.example/ü":"é,}","b":[]},'],
    ['"_meta":{"b":{}},', '"_meta":{"b":{}},'],
  ])('loses the official block inside of the server, and no other byte: %j', async (meta, left) => {
    const text = (part: string) => `{"ü":1.0,${part}"name":"a/flat","description":"d","version":"1.0.0"}`;
    const { entries } = await readBody(`{"servers":[${text(meta)}],"metadata":{}}`);
    expect(entries[0]?.serverJson).toContain(text(left).slice(1));
  });

  it('is the same document whatever the official block inside of the server says about an update', async () => {
    const documentOf = async (updatedAt: string) => {
      const flat = { ...server({ name: 'a/flat' }), _meta: { [OFFICIAL]: { status: 'active', updatedAt } } };
      const { entries } = await readBody(page([flat]));
      return entries[0]?.serverJson;
    };
    expect(await documentOf('2026-01-01T00:00:00Z')).toBe(await documentOf('2026-02-01T00:00:00Z'));
  });

  it('may have its lifecycle in snake case, and no status', async () => {
    const former = { status_message: 'use b', is_latest: true, published_at: '2026-01-01T00:00:00Z' };
    const { entries } = await readBody(
      page([
        listed({ name: 'a/snake' }, { status: 'Deprecated', ...former, status_changed_at: '2026-01-02T00:00:00Z' }),
        ...['', null].map((status, index) => listed({ name: `a/none-${index}` }, { status })),
      ]),
    );
    expect(entries.map(({ lifecycle }) => lifecycle)).toEqual([
      {
        status: 'deprecated',
        statusMessage: 'use b',
        isLatest: true,
        publishedAt: '2026-01-01T00:00:00.000Z',
        statusChangedAt: '2026-01-02T00:00:00.000Z',
      },
      { status: 'active' },
      { status: 'active' },
    ]);
  });

  it('ignores a time in the future as the last change, except for clock skew', async () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const [past, soon, later] = [at(-60_000), at(60_000), at(3_600_000)];
    const lastOf = async (...times: string[]) =>
      (await readBody(page(times.map((updatedAt) => listed({}, { updatedAt }))))).pages[0]?.latestUpdate;
    expect(await lastOf(past, later, '9999-12-31T23:59:59Z')).toBe(past);
    expect(await lastOf(past, soon)).toBe(soon);
    expect(await lastOf(later)).toBeUndefined();
  });

  it('has another hash if its lifecycle or its text differs, regardless of its position', async () => {
    const hashes = async (...servers: Listed[]) =>
      (await readBody(page(servers))).pages[0]?.items.map((item) => 'hash' in item && item.hash.toString('hex')) ?? [];
    const active = listed({ name: 'a/b' }, { status: 'active' });
    const [first] = await hashes(active);
    const [, later] = await hashes(listed(), listed({ name: 'a/b' }, { status: 'active', isLatest: true }));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(later).toBe(first);
    for (const other of [
      listed({ name: 'a/b' }, { status: 'deleted' }),
      listed({ name: 'a/b' }),
      listed({ name: 'a/c' }, { status: 'active' }),
    ]) {
      expect((await hashes(other))[0]).not.toBe(first);
    }
  });

  it('keeps the bounded content of other namespaces unchanged', async () => {
    const meta = (members: string) => `{"servers":[{"server":${JSON.stringify(server())},"_meta":{${members}}}]}`;
    const foreignOf = async (members: string) =>
      (await readBody(meta(members))).entries.map(({ foreignMeta }) => foreignMeta);
    const official = `"${OFFICIAL}":{"status":"active"}`;
    const icon = `"com.example/icon" : {"10": 1.0, "9":12345678901234567890,"x":"\\u00e9"}`;
    expect(await foreignOf(`${icon},${official},"b":null`)).toEqual([`${icon.replaceAll(' ', '')},"b":null`]);
    expect(await foreignOf(official)).toEqual([undefined]);
    const left = ['"long":"' + 'x'.repeat(32 * 1024) + '"', `"deep":${'['.repeat(17)}${']'.repeat(17)}`];
    const faulty = ['"nul":"\\u0000"', '"half":"\\ud800"', '"twice":{"a":1,"a":2}', '"number":1e999', '"k\\u0000":1'];
    expect(await foreignOf([...left, ...faulty, '"good":1', '"good":2'].join(','))).toEqual(['"good":1']);
    const large = Array.from({ length: 5 }, (_, index) => `"k${index}":"${'x'.repeat(20_000)}"`);
    expect(await foreignOf([...large, official].join(','))).toEqual([large.slice(0, 3).join(',')]);
  });

  it('differs if the content of other namespaces differs', async () => {
    const hashes = await Promise.all(
      [{}, { x: 1 }, { x: 2 }].map(async (meta) => {
        const { pages } = await readBody(page([{ server: server(), _meta: meta }]));
        return pages[0]?.items.map((item) => 'hash' in item && item.hash.toString('hex'));
      }),
    );
    expect(new Set(hashes.map(String)).size).toBe(3);
  });

  it('is quarantined alone, under its name if it has one', async () => {
    const twice = `{"server":${JSON.stringify(server())},"server":{}}`;
    const body = page([
      listed({ name: 'no-slash' }),
      5,
      { title: 'Bare' },
      listed({ name: 'a/strange' }, { status: 'haunted' }),
      listed({ name: 'a/gone', description: 5 }, { status: 'deleted' }),
      listed({ name: 'a/former', status: 'deleted' }),
      listed({ name: 'a/large', description: 'x'.repeat(1_100_000) }),
      listed({ name: 'a/good' }),
      listed({ name: 'a/good' }),
    ]).replace('5,', `5,${twice},`);
    const { entries, quarantined } = await readBody(body);
    expect(entries.map(({ name }) => name)).toEqual(['a/good']);
    expect(quarantined.map(({ key, path, message, lifecycle }) => [key, path, message, lifecycle?.status])).toEqual([
      ['no-slash', 'name', expect.stringMatching(/^must be namespace\/name/), undefined],
      ['page 1, servers[1]', '', 'must be an object with the server.json under "server"', undefined],
      ['com.example/search', '', 'has a field of the same name twice: keep one', undefined],
      ['page 1, servers[3]', '', 'must be an object with the server.json under "server"', undefined],
      ['a/strange', expect.stringContaining('status'), 'must be one of active, deprecated, deleted', undefined],
      ['a/gone', 'description', 'must be text', 'deleted'],
      ['a/former', 'status', expect.stringContaining('withdrew it'), 'deleted'],
      ['a/large', '', 'has more than 1048576 bytes', undefined],
      ['a/good', '', expect.stringContaining('is a duplicate'), undefined],
    ]);
  });
});

describe('names without a namespace', () => {
  it('get that of the source', async () => {
    await using registry = await startHttpServer(registryOf([listed({ name: 'jira' }), ...numbered(2)], 2));
    const { entries } = await read(registry.url, { defaultNamespace: 'org.example' });
    expect(entries.map(({ name }) => name)).toEqual(['org.example/jira', 'com.example/s00000', 'com.example/s00001']);
    expect((await read(registry.url)).quarantined).toMatchObject([
      { key: 'jira', message: expect.stringContaining('defaultNamespace') as string },
    ]);
  });
});

describe('a probe', () => {
  it('reads only as much of a response as the event loop can parse', async () => {
    const flood = page(Array.from({ length: 400_000 }, () => ({ server: { name: 'com.example/a', version: '1' } })));
    const packed = gzipSync(flood);
    await using registry = await startHttpServer((_request, response) =>
      answer(response, packed, { 'content-encoding': 'gzip', etag: '"new"' }),
    );
    const before = process.memoryUsage.rss();
    const ask = (known: Parameters<typeof apiSource.probe>[1]) => probe(registry.url, known);
    const verdicts = await Promise.all([
      ...Array.from({ length: 20 }, () => ask({ updatedSince: '2026-02-01T00:00:00Z' })),
      ask({}),
      ask({ etag: '"old"' }),
    ]);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...Array(21).fill('unknown'), 'changed']);
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(150);
  });

  const since = '2026-02-01T00:00:00.123456Z';
  const probe = (endpoint: string, known: Parameters<typeof apiSource.probe>[1]) =>
    apiSource.probe({ endpoint }, known, createApiContext());

  it.each<[string, unknown[], string]>([
    ['nothing changed', [], 'unchanged'],
    ['something changed', [listed({}, { updatedAt: '2026-02-01T00:00:00.123457Z' })], 'changed'],
    ['the registry ignores the time asked for', [listed({}, { updatedAt: since })], 'unknown'],
    ['the registry knows no times', [listed()], 'unknown'],
  ])('reports when %s', async (_, servers, verdict) => {
    await using registry = await startHttpServer((_request, response) => answer(response, page(servers)));
    expect(await probe(registry.url, { updatedSince: since })).toMatchObject({ verdict });
    expect(registry.requests).toEqual([
      `/v0.1/servers?limit=1&include_deleted=true&updated_since=${encodeURIComponent(since)}`,
    ]);
  });

  it('does not know if the registry rejects the question', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, '', {}, 422));
    expect((await probe(registry.url, { updatedSince: since })).verdict).toBe('unknown');
  });

  it('does not know without stored state, but checks that the registry responds', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, page(numbered(1))));
    expect((await probe(registry.url, {})).verdict).toBe('unknown');
    expect(registry.requests).toHaveLength(1);
    await expect(probe('http://127.0.0.1:9', {})).rejects.toMatchObject({ reason: 'Unreachable' });
  });

  it('compares the entity tag of a list with one page', async () => {
    let etag = '"one"';
    await using registry = await startHttpServer((request, response) => {
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
      else answer(response, page(numbered(2)), { etag });
    });
    const { pages } = await read(registry.url);
    const known = { etag: pages[0]?.etag ?? '', updatedSince: since };
    expect(known.etag).toBe('"one"');
    expect((await probe(registry.url, known)).verdict).toBe('unchanged');
    etag = '"two"';
    expect((await probe(registry.url, known)).verdict).toBe('changed');
  });

  it('does not use the tag of a page that is not the whole list', async () => {
    const list = registryOf(numbered(4), 2);
    await using registry = await startHttpServer((request, response) => {
      response.setHeader('etag', '"x"');
      list(request, response);
    });
    expect((await read(registry.url)).pages.map(({ etag }) => etag)).toEqual([undefined, undefined]);
    const changes = await read(registry.url, { updatedSince: since, cursor: '2' });
    expect(changes.pages.map(({ etag }) => etag)).toEqual([undefined]);
  });

  it('fails like a walk if the registry is unavailable', async () => {
    await using registry = await startHttpServer((_, response) => answer(response, '', {}, 503));
    await expect(probe(registry.url, { updatedSince: since })).rejects.toMatchObject({
      reason: 'FetchFailed',
      destiny: 'retry',
    });
  });
});
