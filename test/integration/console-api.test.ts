import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';
import { createKey, OidcProvider } from '#support/oidc-provider.js';

const PAGE = `<!doctype html><title>Console</title><script type="module" src="./console/main-B3xY_9aZ.js"></script>${' '.repeat(2000)}`;
const SCRIPT = `document.title = 'started';${'\n'.repeat(2000)}`;

const OPEN: ServedRegistry = {
  namespace: 'default',
  name: 'open',
  displayName: 'Open registry',
  sources: [],
  auth: { mode: 'anonymous' },
};
const WITHOUT: ServedRegistry = { ...OPEN, name: 'without', console: { enabled: false } };

const NOT_FOUND = '{"error":"nothing is served at this path"}';

let database: TestDatabase;
let directory: string;
let api: RegistryApi;

function options(overrides: Partial<RegistryApiOptions> = {}): RegistryApiOptions {
  return apiOptions(database.app, [OPEN, WITHOUT], { consoleDirectory: directory, ...overrides });
}

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'console-'));
  await mkdir(join(directory, 'console'));
  await writeFile(join(directory, 'index.html'), PAGE);
  await writeFile(join(directory, 'console', 'main-B3xY_9aZ.js'), SCRIPT);
  await writeFile(join(directory, 'console', 'licences.txt'), 'MIT');
  api = await startRegistryApi(options());
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const html = { accept: 'text/html' };
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${api.url}${path}`, { headers, method, redirect: 'manual' });

describe('the root of a registry', () => {
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
  it.each([
    [BROWSER, true],
    ['text/html', true],
    ['TEXT/HTML', true],
    ['text/*', true],
    ['text/html;q=0.9, application/json;q=0.8', true],
    ['text/html, */*;q=0.1', true],
    ['text/html;q=0.8, application/json;q=0.9', false],
    ['text/html, application/json', false],
    ['text/html;q=0, */*', false],
    ['*/*', false],
    ['application/json', false],
    ['image/png', false],
    ['no list of ranges', false],
  ])('answers %s with the page: %s', async (accept, isPage) => {
    const response = await get('/', { accept });
    expect(response.headers.get('vary')).toMatch(/^Accept\b/);
    if (isPage) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await response.text()).toBe(PAGE);
    } else {
      expect(response.status).toBe(404);
      expect(await response.text()).toBe(NOT_FOUND);
    }
  });

  it('answers a program exactly as it answers any path that does not exist', async () => {
    const [root, other] = await Promise.all([get('/'), get('/nothing-here')]);
    const { vary: _, ...headers } = Object.fromEntries(root.headers);
    const dated = { date: expect.any(String), 'x-request-id': expect.any(String) };
    expect(headers).toEqual({ ...Object.fromEntries(other.headers), ...dated });
    expect([root.status, await root.text()]).toEqual([other.status, await other.text()]);
  });

  it('does not exist for other methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await get('/', html, method);
      expect([response.status, await response.text()]).toEqual([404, NOT_FOUND]);
    }
  });

  it('has the head of the page for HEAD', async () => {
    const [whole, head] = await Promise.all([get('/', html), get('/', html, 'HEAD')]);
    expect(head.status).toBe(200);
    for (const name of ['content-security-policy', 'etag', 'content-type', 'content-encoding', 'vary']) {
      expect(head.headers.get(name)).toBe(whole.headers.get(name));
    }
    expect(await head.text()).toBe('');
  });

  it('confines the page, and is asked about it each time', async () => {
    const { headers } = await get('/', html);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('permissions-policy')).toBe('camera=(), microphone=(), geolocation=()');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-cache');
  });

  it.each(['/', '/default/open/'])('leads agents from %s to the manifest of the registry', async (page) => {
    const [, reference = ''] = /^<(.+)>; rel="ard"$/.exec((await get(page, html)).headers.get('link') ?? '') ?? [];
    const manifest = await get(new URL(reference, `http://registry${page}`).pathname);
    expect(await manifest.json()).toMatchObject({ specVersion: '1.0' });
  });

  it.each(['br', 'gzip', 'identity'])('tells a client that has the page in %s that it has it', async (encoding) => {
    const first = await get('/', { ...html, 'accept-encoding': encoding });
    expect(first.headers.get('content-encoding')).toBe(encoding === 'identity' ? null : encoding);
    expect(await first.text()).toBe(PAGE);
    const tag = first.headers.get('etag') as string;
    const again = await get('/', { ...html, 'accept-encoding': encoding, 'if-none-match': `W/${tag}, "other"` });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
  });

  it('is the same below the address of each registry, with a slash at the end', async () => {
    expect(await (await get('/default/open/', html)).text()).toBe(PAGE);
    const moved = await get('/default/open', html);
    expect([moved.status, moved.headers.get('location')]).toEqual([308, 'open/']);
    expect((await get('/default/open?a=1&b=%20', html)).headers.get('location')).toBe('open/?a=1&b=%20');
    const program = await get('/default/open');
    expect([program.status, await program.text()]).toEqual([404, NOT_FOUND]);
  });

  it('redirects a request that sends the whole URL, whatever bytes its query has', async () => {
    const { port } = new URL(api.url);
    const head = `GET http://x/default/open?\u00ff HTTP/1.1\r\nhost: x\r\naccept: text/html\r\nconnection: close\r\n\r\n`;
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(Buffer.from(head, 'latin1'));
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 (308|400) /);
    if (answer.includes(' 308 ')) expect(answer).toContain('location: open/?%C3%BF\r\n');
  });

  it('is not there for a registry without console', async () => {
    for (const path of ['/default/without/', '/default/without', '/default/without/console/licences.txt']) {
      const response = await get(path, html);
      expect([response.status, await response.text()]).toEqual([404, NOT_FOUND]);
    }
    expect((await get('/default/without/v1/console')).status).toBe(404);
  });

  it('is not there in a build without console', async () => {
    const bare = await startRegistryApi(options({ consoleDirectory: join(directory, 'nowhere') }));
    try {
      const response = await fetch(`${bare.url}/`, { headers: html });
      expect([response.status, await response.text()]).toEqual([404, NOT_FOUND]);
      expect((await fetch(`${bare.url}/v1/console`)).status).toBe(200);
    } finally {
      await bare.close();
    }
  });
});

describe('an asset', () => {
  it('is kept forever by its name, which changes with its content', async () => {
    for (const prefix of ['', '/default/open']) {
      const response = await get(`${prefix}/console/main-B3xY_9aZ.js`, { 'accept-encoding': 'br', accept: '*/*' });
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(response.headers.get('content-encoding')).toBe('br');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await response.text()).toBe(SCRIPT);
    }
  });

  it('is asked about each time where its name stays', async () => {
    const first = await get('/console/licences.txt', { accept: 'text/plain' });
    expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'public, no-cache']);
    const again = await get('/console/licences.txt', { 'if-none-match': first.headers.get('etag') as string });
    expect(again.status).toBe(304);
  });

  it('is one of the build, whatever else is asked for', async () => {
    for (const name of [
      'other.js',
      'index.html',
      '..%2findex.html',
      '%2e%2e%2findex.html',
      '__proto__',
      'constructor',
    ]) {
      const response = await get(`/console/${name}`);
      expect([response.status, await response.text()]).toEqual([404, NOT_FOUND]);
    }
    expect((await get('/console/licences.txt', {}, 'POST')).status).toBe(405);
  });
});

describe('/v1/console', () => {
  it('says what the page must know, to everybody', async () => {
    const response = await get('/default/open/v1/console');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({
      registry: { namespace: 'default', name: 'open', displayName: 'Open registry' },
      version: '1.2.3',
      mode: 'anonymous',
      login: null,
      features: expect.any(Array),
    });
  });

  it('names the endpoints of the provider by its own word, or says that it is unavailable', async () => {
    await using provider = await OidcProvider.start([await createKey('ES256')]);
    const auth = oauth({
      oauth: {
        requiredScopes: { read: 'mcp-registry:read' },
        providers: [{ name: 'main', issuerUrl: provider.issuer, audience: 'registry-server', allowPrivateIP: true }],
      },
    });
    const login = { provider: 'main', clientId: 'console', parameters: { audience: 'https://registry.example.com' } };
    const served: ServedRegistry = { ...OPEN, auth, console: { enabled: true, login } };
    const start = () => startRegistryApi(options({ registries: onlyRegistry(served) }));
    await provider.goAway(true);
    const early = await start();
    try {
      const view = await (await fetch(`${early.url}/v1/console`)).json();
      expect(view).toMatchObject({ mode: 'oauth', login: null, loginUnavailable: true });
      const page = await fetch(`${early.url}/`, { headers: html });
      expect(page.headers.get('content-security-policy')).toContain("connect-src 'self';");
    } finally {
      await early.close();
    }

    await provider.goAway(false);
    const before = (await provider.counts())['/.well-known/openid-configuration'] ?? 0;
    const later = await start();
    try {
      const views = await Promise.all(
        Array.from({ length: 20 }, async () => (await fetch(`${later.url}/v1/console`)).json()),
      );
      for (const view of views) {
        expect(view).toMatchObject({
          login: {
            issuer: provider.issuer,
            authorizationEndpoint: `${provider.issuer}/auth`,
            tokenEndpoint: `${provider.issuer}/token`,
            clientId: 'console',
            scope: 'openid mcp-registry:read',
            parameters: { audience: 'https://registry.example.com' },
          },
        });
        expect(view).not.toHaveProperty('loginUnavailable');
      }
      expect((await provider.counts())['/.well-known/openid-configuration']).toBe(before + 1);
      const page = await fetch(`${later.url}/`, { headers: html });
      expect(page.headers.get('content-security-policy')).toContain(
        `connect-src 'self' ${new URL(provider.issuer).origin};`,
      );
    } finally {
      await later.close();
    }
  });
});
