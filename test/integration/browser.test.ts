import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { complaintsOf, findBrowser, NO_BROWSER, openPage, startBrowser } from '#support/browser.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';
import { servedRegistries } from '#support/served-registries.js';

const executable = await findBrowser();

let database: TestDatabase;
let rows: CatalogueRows;
let provider: OidcProvider;
let api: RegistryApi;
let browser: Browser;
let elsewhere: Server;
/** A page with a different origin from the API's. */
let page: Page;

beforeEach(({ skip }) => skip(executable === undefined, NO_BROWSER));

beforeAll(async () => {
  if (executable === undefined) return;
  [database, provider, browser] = await Promise.all([
    createTestDatabase(),
    OidcProvider.start([await createKey('ES256')]),
    startBrowser(executable),
  ]);
  rows = await CatalogueRows.connect(database.app);
  for (const name of ['open', 'guarded']) {
    await rows.addRegistry('default', name);
    await rows.addSource('default', name, 'ours');
    await rows.publish(
      'default',
      name,
      'ours',
      ['one', 'two', 'three'].map((server) => ({ name: `io.example/${server}`, version: '1.0.0' })),
    );
  }
  const providers = [{ name: 'idp', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
  api = await startRegistryApi({
    ...ALONE,
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: servedRegistries([
      { namespace: 'default', name: 'open', sources: [], auth: { mode: 'anonymous' } },
      { namespace: 'default', name: 'guarded', sources: [], auth: oauth({ oauth: { providers } }) },
    ]),
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-24' },
    logger: pino({ level: 'silent' }),
  });
  await api.catalogue.nextChange();
  elsewhere = createServer((_request, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end('<!doctype html><link rel="icon" href="data:,"><title>x</title>');
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  ({ page } = await openPage(browser, `http://localhost:${(elsewhere.address() as AddressInfo).port}/`));
});

afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await api?.close();
  await rows?.end();
  await provider?.[Symbol.asyncDispose]();
  await database?.drop();
});

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly total: string | null;
  readonly challenge: string | null;
  readonly body?: {
    readonly servers?: { readonly server: { readonly name: string } }[];
    readonly metadata?: { readonly nextCursor?: string };
    readonly error?: string;
  };
}

/**
 * Sends a request from within the page. The browser's cache is bypassed, so that the response comes from the server.
 */
const ask = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  page.evaluate(
    async (asked) => {
      const response = await fetch(asked.url, { headers: asked.headers, cache: 'no-store' });
      const text = await response.text();
      return {
        status: response.status,
        etag: response.headers.get('etag'),
        total: response.headers.get('x-total-count'),
        challenge: response.headers.get('www-authenticate'),
        ...(text !== '' && { body: JSON.parse(text) }),
      };
    },
    { url, headers },
  );

describe('a page of another origin', () => {
  it('reads the list page by page, with its headers, and asks whether it has changed', async () => {
    const url = `${api.url}/v0.1/servers?limit=2&version=latest`;
    const first = await ask(url);
    expect(first).toMatchObject({ status: 200, total: '3', body: { servers: { length: 2 } } });
    // As VS Code does, send the cursor unchanged and no other parameter.
    const next = await ask(`${api.url}/v0.1/servers?cursor=${first.body?.metadata?.nextCursor}`);
    expect(next).toMatchObject({ status: 200, total: '3' });
    const names = [first, next].flatMap(({ body }) => body?.servers?.map(({ server }) => server.name));
    expect(names).toEqual(['io.example/one', 'io.example/three', 'io.example/two']);
    expect(await ask(url, { 'If-None-Match': first.etag! })).toMatchObject({
      status: 304,
      etag: first.etag,
    });
    const changed = await ask(url, { 'If-None-Match': '"else"' });
    expect(changed).toMatchObject({ status: 200, etag: first.etag });
    const one = await ask(`${api.url}/v0.1/servers/io.example%2Fone/versions/latest`);
    expect(one).toMatchObject({ status: 200, body: { server: { name: 'io.example/one' } } });
  });

  it('sends a token, and sees what is wanted where it sends none', async () => {
    const url = `${api.url}/default/guarded/v0.1/servers`;
    const authorized = await ask(url, {
      Authorization: `Bearer ${await provider.sign()}`,
      'Content-Type': 'application/json',
    });
    expect(authorized).toMatchObject({ status: 200, body: { servers: { length: 3 } } });
    expect(await ask(url)).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer realm="mcp-registry", resource_metadata="http/),
      body: { error: expect.any(String) },
    });
    expect(await ask(url, { Authorization: 'Bearer x.y.z' })).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('error="invalid_token"'),
    });
  });

  it('reads errors as well', async () => {
    expect(await ask(`${api.url}/v0.1/servers/io.example%2Fnone/versions/latest`)).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining('io.example/none') },
    });
    expect(await ask(`${api.url}/v0.1/servers?limit=0`)).toMatchObject({ status: 400 });
    expect(await ask(`${api.url}/nowhere`)).toMatchObject({ status: 404 });
    expect(await ask(`${api.url}/v0.1/servers`, { Accept: 'text/html' })).toMatchObject({
      status: 406,
    });
  });
});

describe('the reference page', () => {
  it.each(['', '/default/open'])(
    'shows every operation below "%s", asks no other host, and can try them',
    async (prefix) => {
      const reference = await openPage(browser, `${api.url}${prefix}/reference`);
      const { page } = reference;
      const textsOf = async (part: string) => {
        const texts = await page.locator(`.opblock-summary:visible .opblock-summary-${part}`).allTextContents();
        return texts.map((text) => text.replaceAll('\u200b', ''));
      };
      await page.locator('.opblock-summary-path').first().waitFor();
      const [methods, paths] = [await textsOf('method'), await textsOf('path')];
      const shown = methods.map((method, at) => `${method} ${paths[at]}`);
      expect(await page.title()).toBe('MCP registry API');
      expect(shown).toEqual(expect.arrayContaining(['GET /v0.1/servers', 'POST /v1/entries', 'GET /readiness']));
      const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: Record<string, object> };
      expect(shown).toHaveLength(Object.values(document.paths).flatMap((path) => Object.keys(path)).length);

      const version = page.locator('[id$="-version"]');
      await version.locator('.opblock-summary-control').click();
      await version.locator('.execute').click();
      const tried = version.locator('.live-responses-table .microlight').first();
      expect(await tried.textContent()).toContain('1.2.3');
      expect(reference.requested).toContain(`${api.url}${prefix}/version`);
      expect(complaintsOf(reference)).toEqual([]);
      const hosts = reference.requested.filter((url) => /^\w+:\/\//.test(url)).map((url) => new URL(url).host);
      expect(new Set(hosts)).toEqual(new Set([new URL(api.url).host]));
    },
  );
});
