import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '#support/certificates.js';
import { openPage } from '#support/browser.js';
import type { WatchedPage } from '#support/browser.js';
import type { ConsoleWorld } from '#support/console-world.js';
import { findBarriers, overflowOf, walkByTab } from '#support/page-checks.js';
import { useConsoleWorld } from '#support/use-console-world.js';

let world: ConsoleWorld;

useConsoleWorld((started) => (world = started), ['team', 'hostile']);

/** URL fragments of all pages, each with a selector that matches when the page is complete. */
const PAGES = [
  { name: 'servers', fragment: '#/', sign: '.row' },
  { name: 'servers that are narrowed', fragment: '#/?q=search&tag=search', sign: '.row' },
  { name: 'no server', fragment: '#/?q=nothing-is-called-that&status=active', sign: '.notice' },
  { name: 'a server', fragment: '#/servers/com.example/weather', sign: '.way' },
  { name: 'an older version', fragment: '#/servers/com.example/weather?version=1.0.0', sign: '.hint' },
  { name: 'a server that is not served', fragment: '#/servers/com.example/nothing', sign: 'h1' },
  { name: 'sources', fragment: '#/sources', sign: '.source-line' },
  { name: 'a source', fragment: '#/sources/ours', sign: '.runs tbody tr' },
  { name: 'a source that fails', fragment: '#/sources/shared', sign: '.hint.bad' },
  { name: 'a source that does not exist', fragment: '#/sources/nothing', sign: '.notice' },
  { name: 'help', fragment: '#/help', sign: '.keys' },
  { name: 'no page', fragment: '#/nothing', sign: 'h1' },
];
/** Pages that request something that does not exist. The browser reports each failed response. */
const NOT_FOUND = ['a server that is not served', 'a source that does not exist'];

/** Finds a server and copies its client configuration, with the keyboard only. Returns the content of the clipboard. */
async function copyByKeyboard(page: Page): Promise<object> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.keyboard.press('/');
  // Press Enter before the response to the last letter has arrived.
  await page.keyboard.type('weath');
  await page.keyboard.press('Enter');
  await page.locator('h1', { hasText: 'Weather' }).waitFor();
  const copy = page.locator('.install').getByRole('button', { name: /^Copy/ });
  await copy.waitFor();
  await page.keyboard.press('i');
  await expect
    .poll(async () => {
      await page.keyboard.press('Tab');
      return page.evaluate<boolean>(
        `document.activeElement?.matches('.install button') && document.activeElement.textContent.startsWith('Copy')`,
      );
    })
    .toBe(true);
  await page.keyboard.press('Enter');
  const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');
  await expect.poll(clipboard).toContain('https://mcp.weather.example.com/mcp');
  return JSON.parse(await clipboard()) as object;
}

async function show(address: string, sign: string, options: Parameters<typeof openPage>[2] = {}): Promise<WatchedPage> {
  const opened = await openPage(world.browser, address, { reducedMotion: 'reduce', ...options });
  await opened.page.locator(sign).first().waitFor();
  return opened;
}

/** Returns all console messages, and all requests to other origins. */
function findTraces({ messages, requested }: WatchedPage, origin: string): string[] {
  const foreign = requested.filter((url) => !url.startsWith('data:') && new URL(url).origin !== origin);
  return [...messages.map(({ text }) => text), ...foreign];
}

describe.each([
  { colorScheme: 'light', width: 320 },
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 320 },
  { colorScheme: 'dark', width: 1440 },
] as const)('in $colorScheme, $width pixels wide', ({ colorScheme, width }) => {
  it.each(PAGES)(
    'the page of $name is accessible, quiet and as wide as the window',
    async ({ name, fragment, sign }) => {
      const shown = await show(`${world.address()}${fragment}`, sign, {
        colorScheme,
        viewport: { width, height: 900 },
      });
      expect(await findBarriers(shown.page)).toEqual([]);
      expect(await overflowOf(shown.page)).toBeLessThanOrEqual(0);
      expect(await shown.page.locator('h1').count()).toBe(1);
      const traces = findTraces(shown, new URL(world.api.url).origin);
      const expected = NOT_FOUND.includes(name) ? [expect.stringContaining('404')] : [];
      expect(traces).toEqual(expected);
      await shown.page.context().close();
    },
  );
});

describe('by keyboard', () => {
  it.each(PAGES.filter(({ name }) => ['servers', 'a server', 'sources', 'a source', 'help'].includes(name)))(
    'Tab reaches every control on the page of $name, and its focus can be seen',
    async ({ fragment, sign }) => {
      for (const width of [320, 1440]) {
        const { page } = await show(`${world.address()}${fragment}`, sign, { viewport: { width, height: 900 } });
        expect(await walkByTab(page)).toEqual({ missed: [], unseen: [] });
        await page.context().close();
      }
    },
  );

  it('a server is found, opened and left without a mouse', async () => {
    const { page } = await show(world.address(), '.row');
    await page.keyboard.press('/');
    await page.keyboard.type('weath');
    await page.locator('.found', { hasText: /^1 server$/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('h1', { hasText: 'Weather' }).waitFor();
    await expect.poll(() => focused(page)).toBe('Weather');
    await page.keyboard.press('Escape');
    await page.locator('.row').first().waitFor();
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('weath');
    await expect.poll(() => focused(page)).toContain('com.example/weather');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.locator('.source-line').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect.poll(() => focused(page)).toContain('mirror');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Help' }).waitFor();
  });

  it('a server is in the clipboard as a client wants it, from the search on', async () => {
    const { page } = await show(world.address(), '.row');
    expect(await copyByKeyboard(page)).toHaveProperty(['mcpServers', 'example-weather']);
  });

  it('single keys do nothing once they are switched off, and after a reload', async () => {
    const { page } = await show(`${world.address()}#/help`, '.keys');
    await page.getByRole('checkbox').uncheck();
    for (const _ of ['now', 'after a reload']) {
      await page.keyboard.press('g');
      await page.keyboard.press('s');
      await page.keyboard.press('/');
      expect(new URL(page.url()).hash).toBe('#/help');
      await page.reload();
      await page.locator('.keys').waitFor();
    }
    expect(await page.getByRole('checkbox').isChecked()).toBe(false);
  });
});

const focused = (page: Page): Promise<string> => page.evaluate<string>('document.activeElement?.textContent ?? ""');

describe('the theme', () => {
  it('follows the system, can be chosen, and stays chosen', async () => {
    const { page } = await show(world.address(), '.row', { colorScheme: 'dark' });
    const scheme = () => page.evaluate<string>('getComputedStyle(document.documentElement).colorScheme');
    const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const dark = await ground();
    expect(await scheme()).toBe('light dark');
    await page.getByRole('button', { name: 'Theme: as the system' }).click();
    expect(await scheme()).toBe('light');
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.locator('.row').first().waitFor();
    expect([await scheme(), await ground()]).toEqual(['light', light]);
    await page.getByRole('button', { name: 'Theme: light' }).click();
    expect([await scheme(), await ground()]).toEqual(['dark', dark]);
    expect(await page.evaluate('Object.keys(localStorage)')).toHaveLength(1);
  });
});

describe('a hostile catalogue', () => {
  const PLACES = [
    '#/',
    '#/servers/attacker.example/markup',
    '#/servers/attacker.example/markup?version=1.0.0',
    '#/servers/attacker.example/unreadable',
    `#/servers/attacker.example/${'l'.repeat(180)}`,
    `#/?q=${encodeURIComponent('<img src=x onerror=globalThis.hacked=1>')}&tag=%3Cscript%3E&source=..%2F..`,
    '#/servers/..%2F..%2Fv1%2Fme',
    '#/sources/ours',
    `#/sources/${encodeURIComponent('<img src=x onerror=globalThis.hacked=1>')}`,
  ];

  it.each(PLACES)('runs nothing, requests nothing and keeps the layout at %s', async (fragment) => {
    for (const width of [320, 1440]) {
      const shown = await show(`${world.address('hostile')}${fragment}`, 'h1', { viewport: { width, height: 900 } });
      await shown.page.waitForLoadState('networkidle');
      for (const summary of await shown.page.locator('summary').all()) await summary.click();
      expect(await shown.page.evaluate('globalThis.hacked')).toBeUndefined();
      expect(await overflowOf(shown.page)).toBeLessThanOrEqual(0);
      const traces = findTraces(shown, new URL(world.api.url).origin).filter((text) => !/ 40[04] /.test(text));
      expect(traces).toEqual([]);
      const links = await shown.page.evaluate<string[]>('[...document.links].map(({ href }) => href)');
      // Links that open a client come from the exports of the server, and use only these schemes.
      const schemes = /^(https?|vscode|vscode-insiders|cursor|lmstudio|windsurf):/;
      expect(links.filter((href) => !schemes.test(href))).toEqual([]);
      await shown.page.context().close();
    }
  });

  it('names invisible characters, and shows the address of a misleading link as text', async () => {
    const { page } = await show(`${world.address('hostile')}#/servers/attacker.example/unreadable`, '.lead');
    await page.locator('.lead .code-point', { hasText: 'U+202E' }).waitFor();
    expect(await page.locator('.brand').textContent()).toContain('U+202E');
    await page.goto(`${world.address('hostile')}#/servers/attacker.example/user-info`);
    const repository = page.locator('.facts', { hasText: 'https://github.com@attacker.example/' });
    await repository.waitFor();
    expect(await repository.locator('a').count()).toBe(0);
  });

  it('is shown in part, and whole when that is asked for', async () => {
    const { page } = await show(`${world.address('hostile')}#/servers/attacker.example/unreadable`, '.lead');
    const before = (await page.locator('.lead').textContent())?.length ?? 0;
    await page.locator('.lead button').click();
    const after = (await page.locator('.lead').textContent())?.length ?? 0;
    expect(before).toBeLessThan(21_000);
    expect(after).toBeGreaterThan(22_000);
  });
});

describe('behind a path', () => {
  let proxy: Server;
  let directory: string;

  const secure = { ignoreHTTPSErrors: true };
  const behind = (path: string) => `https://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'console-'));
    const { cert, key } = await selfSigned(directory, 'ingress');
    const identity = { cert: await readFile(cert), key: await readFile(key) };
    // Like an Ingress with TLS that serves the registry below a path and strips that path.
    proxy = createServer(identity, (incoming, outgoing) => {
      const path = (incoming.url ?? '').replace(/^\/x\/y\//, '/');
      if (path === incoming.url) return void outgoing.writeHead(404).end();
      const { method, headers } = incoming;
      const asked = forward(new URL(path, world.api.url), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      asked.on('error', () => outgoing.destroy());
      incoming.pipe(asked);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });

  afterAll(async () => {
    proxy?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('a server is in the clipboard by keyboard alone, over TLS too', async () => {
    const { page } = await show(behind('/x/y/'), '.row', secure);
    expect(await copyByKeyboard(page)).toHaveProperty(['mcpServers', 'example-weather']);
    await page.context().close();
  });

  it.each(['/default/team/', '/default/team', '/x/y/', '/x/y/default/team/'])(
    'every page works below %s',
    async (path) => {
      const isBehindProxy = path.startsWith('/x/y/');
      const origin = isBehindProxy ? behind('') : new URL(world.api.url).origin;
      const shown = await show(`${origin}${path}`, '.row', isBehindProxy ? secure : {});
      await shown.page.locator('.row', { hasText: 'com.example/calendar' }).click();
      await shown.page.locator('.way').first().waitFor();
      await shown.page.getByRole('navigation').getByRole('link', { name: 'Sources' }).click();
      await shown.page.locator('.source-line', { hasText: 'ours' }).click();
      // Wait for the table of runs.
      await shown.page.locator('.runs tbody tr').first().waitFor();
      await shown.page.goto(`${origin}${path}#/help`);
      // Fetch the link instead of following it, because for a text file the browser requests an icon from the root of
      // the host.
      const licences = await shown.page.getByRole('link', { name: 'Licences' }).getAttribute('href');
      const { href } = new URL(licences ?? '', shown.page.url());
      expect(await (await shown.page.request.get(href)).text()).toContain('preact');
      expect(findTraces(shown, origin)).toEqual([]);
      const folder = path.endsWith('/') ? path : `${path}/`;
      expect(
        shown.requested.filter((url) => !new URL(url).pathname.startsWith(folder) && new URL(url).pathname !== path),
      ).toEqual([]);
      await shown.page.context().close();
    },
  );
});
