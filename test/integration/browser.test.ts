import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { Browser, findBrowser } from '#support/browser.js';
import type { Page } from '#support/browser.js';
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
/** A page of another origin than the API's. */
let page: Page;

const MISSING = 'there is no Chromium: install it, or name it in CHROMIUM';
if (executable === undefined) process.stdout.write(`browser tests are left out: ${MISSING}\n`);
beforeEach(({ skip }) => skip(executable === undefined, MISSING));

beforeAll(async () => {
  if (executable === undefined) return;
  [database, provider, browser] = await Promise.all([
    createTestDatabase(),
    OidcProvider.start([await createKey('ES256')]),
    Browser.start(executable),
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
  page = await browser.open(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
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

/** In the page. Its own cache stays out of it, so that what it gets is what the server says. */
const ask = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  page.run<Answer>(
    `const response = await fetch(argument.url, { headers: argument.headers, cache: 'no-store' });
     const text = await response.text();
     const { headers } = response;
     return {
       status: response.status,
       etag: headers.get('etag'),
       total: headers.get('x-total-count'),
       challenge: headers.get('www-authenticate'),
       ...(text !== '' && { body: JSON.parse(text) }),
     };`,
    { url, headers },
  );

/** Waits for elements that a page makes by itself. */
const FOUND = `const found = async (selector) => {
  for (;;) {
    const element = document.querySelector(selector);
    if (element) return element;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};`;

describe('a page of another origin', () => {
  it('reads the list page by page, with its headers, and asks whether it has changed', async () => {
    const url = `${api.url}/v0.1/servers?limit=2&version=latest`;
    const first = await ask(url);
    expect(first).toMatchObject({ status: 200, total: '3', body: { servers: { length: 2 } } });
    // As VS Code does: the cursor as it stands, and nothing else.
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
      const reference = await browser.open(`${api.url}${prefix}/reference`);
      const shown = await reference.run<{ title: string; operations: string[] }>(
        `${FOUND}
       await found('.opblock-summary-path');
       const visible = Array.from(document.querySelectorAll('.opblock-summary')).filter((each) => each.checkVisibility());
       const textOf = (each, part) => each.querySelector('.opblock-summary-' + part).textContent.replaceAll('\u200b', '');
       return {
         title: document.title,
         operations: visible.map((each) => textOf(each, 'method') + ' ' + textOf(each, 'path')),
       };`,
      );
      expect(shown.title).toBe('MCP registry API');
      expect(shown.operations).toEqual(
        expect.arrayContaining(['GET /v0.1/servers', 'POST /v1/entries', 'GET /readiness']),
      );
      const { paths } = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: Record<string, object> };
      expect(shown.operations).toHaveLength(Object.values(paths).flatMap((path) => Object.keys(path)).length);

      const tried = await reference.run<string>(
        `${FOUND}
       (await found('[id$="-version"] .opblock-summary-control')).click();
       (await found('[id$="-version"] .execute')).click();
       return (await found('[id$="-version"] .live-responses-table .microlight')).textContent;`,
      );
      expect(tried).toContain('1.2.3');
      expect(reference.requested).toContain(`${api.url}${prefix}/version`);
      expect(reference.complaints).toEqual([]);
      const hosts = reference.requested.filter((url) => /^\w+:\/\//.test(url)).map((url) => new URL(url).host);
      expect(new Set(hosts)).toEqual(new Set([new URL(api.url).host]));
    },
  );
});
