import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { complaintsOf, openPage } from '#support/browser.js';
import type { WatchedPage } from '#support/browser.js';
import type { ConsoleWorld } from '#support/console-world.js';
import { useConsoleWorld } from '#support/use-console-world.js';

let world: ConsoleWorld;
let shown: WatchedPage;
let page: Page;

useConsoleWorld((started) => (world = started));

beforeEach(async () => {
  shown = await openPage(world.browser, world.address(), { viewport: { width: 1280, height: 900 } });
  ({ page } = shown);
  await page.locator('.row').first().waitFor();
});

/** Adds a server to the upstream registry until the returned object is disposed of. */
async function added(name: string): Promise<AsyncDisposable> {
  const sync = async (count: string) => {
    await world.registries.workflows.syncNow(world.registries.registryCalled('team'), 'mirror');
    await expect
      .poll(async () => (await fetch(`${world.address()}v0.1/servers?search=${name}`)).headers.get('x-total-count'))
      .toBe(count);
  };
  world.upstream.entries.push({ name, updatedAt: '2027-01-01T00:00:00Z' });
  await sync('1');
  return {
    async [Symbol.asyncDispose]() {
      world.upstream.entries.pop();
      await sync('0');
    },
  };
}

const found = (text: string) => page.locator('.found', { hasText: new RegExp(`^${text}$`) }).waitFor();
const names = () => page.locator('.row .name').allTextContents();
const filter = (name: string | RegExp) => page.locator('.filters').getByLabel(name);

describe('search', () => {
  it('shows what matches as it is typed, and everything again when it is cleared', async () => {
    await found('146 servers');
    const box = page.getByRole('searchbox');
    await box.pressSequentially('observab');
    await page.locator('.notice', { hasText: 'No server matches' }).waitFor();
    await box.fill('search');
    await found('2 servers');
    expect(await names()).toEqual(['com.example/document-search', 'com.example/log-search']);
    await box.press('Escape');
    await found('146 servers');
    expect(complaintsOf(shown)).toEqual([]);
  });

  it('sends no more requests than the throttle allows, and shows the answer to the newest', async () => {
    shown.requested.length = 0;
    await page.getByRole('searchbox').pressSequentially('weather', { delay: 20 });
    await found('1 server');
    const asked = shown.requested.filter((url) => url.includes('search='));
    expect(asked.length).toBeLessThan(2 * 'weather'.length);
    expect(await names()).toEqual(['com.example/weather']);
  });

  it('can be linked, shared and gone back from', async () => {
    await page.getByRole('searchbox').fill('weather');
    await found('1 server');
    const other = await openPage(world.browser, page.url());
    await other.page.locator('.found', { hasText: /^1 server$/ }).waitFor();
    expect(await other.page.getByRole('searchbox').inputValue()).toBe('weather');
    await page.locator('.row').click();
    await page.locator('h1', { hasText: 'Weather' }).waitFor();
    await page.goBack();
    await found('1 server');
    await page.goBack();
    await found('146 servers');
    expect(await page.getByRole('searchbox').inputValue()).toBe('');
  });

  it('says which part to drop when nothing is left', async () => {
    await page.goto(`${world.address()}#/?q=weather&tag=finance`);
    await page.getByRole('button', { name: 'Without Tags: finance' }).click();
    await found('1 server');
    await page.goto(`${world.address()}#/?q=nothing&tag=finance`);
    await page.getByRole('button', { name: 'Without “nothing”' }).click();
    await found('2 servers');
    expect(await names()).toEqual(['com.example/invoice-check', 'com.example/payments']);
  });
});

describe('filters', () => {
  it.each([
    ['source', 'ours', 26],
    ['source', 'mirror', 120],
    ['transport', 'streamable-http', 14],
    ['package', 'nuget', 1],
    ['where it runs', 'Remote only', 10],
    ['secrets', 'Needs a secret', 134],
    ['tag', 'security', 2],
  ])('by %s: %s', async (_, value, count) => {
    await page.locator('fieldset', { hasText: 'Tags' }).getByRole('button', { name: /more$/ }).click();
    await filter(new RegExp(`^${value}`)).check();
    await found(count === 1 ? '1 server' : `${count} servers`);
    const shownCount = await page
      .locator('.choice', { has: page.locator(':checked') })
      .locator('.count')
      .textContent();
    expect(Number(shownCount)).toBe(count);
  });

  it('are alternatives within a group and restrict each other across groups', async () => {
    await page.locator('fieldset', { hasText: 'Tags' }).getByRole('button', { name: /more$/ }).click();
    await filter(/^security/).check();
    await found('2 servers');
    await filter(/^finance/).check();
    await found('4 servers');
    await filter(/^npm/).check();
    await found('1 server');
    expect(await names()).toEqual(['com.example/package-audit']);
    await page.goBack();
    await found('4 servers');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await found('146 servers');
  });
});

describe('the list', () => {
  it('goes on to its end as the reader comes near', async () => {
    for (let rows = await page.locator('.row').count(); rows < 146; rows = await page.locator('.row').count()) {
      await page.mouse.wheel(0, 20_000);
      await expect.poll(() => page.locator('.row').count()).toBeGreaterThan(rows);
    }
    const all = await names();
    expect(new Set(all).size).toBe(146);
    await page.locator('.rows-end', { hasText: '146 of 146' }).waitFor();
    expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0);
  });

  it('is where it was after a look at one server', async () => {
    await page.mouse.wheel(0, 3000);
    const row = page.locator('.row', { hasText: 'org.partner/archive-010' });
    await row.scrollIntoViewIfNeeded();
    const before = await page.evaluate<number>('scrollY');
    await row.click();
    await page.locator('.way, .notice, .lead').first().waitFor();
    await page.goBack();
    await expect.poll(() => page.evaluate<number>('scrollY')).toBe(before);
  });

  it('takes a change of the catalogue in, in place, without a reload', async () => {
    await page.clock.install();
    await page.reload();
    await page.locator('.row').first().waitFor();
    await page.locator('.row').nth(3).focus();
    const focused = await page.evaluate<string>('document.activeElement.getAttribute("href")');
    await using _added = await added('com.example/aardvark');
    await page.clock.runFor(31_000);
    await page.locator('.row', { hasText: 'com.example/aardvark' }).waitFor();
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(focused);
    await page.clock.runFor(3_000);
    await page
      .getByText('The catalogue has changed')
      .or(page.getByText('147 servers'))
      .first()
      .waitFor({ state: 'attached' });
  });
});

describe('the page of a server', () => {
  it('shows versions, and each of them by its link', async () => {
    await page.goto(`${world.address()}#/servers/com.example/weather`);
    await page.getByRole('combobox', { name: /Version/ }).selectOption('1.2.0');
    await page.locator('code', { hasText: 'ghcr.io/example/weather:1.2.0' }).first().waitFor();
    expect(page.url()).toContain('version=1.2.0');
    await page.locator('.versions a', { hasText: '1.0.0' }).click();
    await page.locator('.hint', { hasText: 'Deprecated' }).waitFor();
    await page.goBack();
    await page.locator('code', { hasText: 'ghcr.io/example/weather:1.2.0' }).first().waitFor();
  });

  it('lists what has to be filled in', async () => {
    await page.goto(`${world.address()}#/servers/com.example/weather`);
    const variables = page.getByRole('table', { name: 'Environment variables' });
    const key = variables.getByRole('row', { name: /API_KEY/ });
    expect(await key.textContent()).toMatch(/required.*secret.*Key of the weather service/);
    expect(await variables.getByRole('row', { name: /UNITS/ }).textContent()).toMatch(
      /optional.*metric.*metric, imperial/,
    );
    expect(await page.getByRole('table', { name: 'Arguments' }).textContent()).toContain('{region}');
    const repository = page.getByRole('link', { name: /github\.com\/example\/weather/ });
    expect(await repository.getAttribute('rel')).toBe('noopener noreferrer nofollow');
  });

  it('copies exactly what it shows', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${world.address()}#/servers/com.example/weather`);
    await page.getByRole('button', { name: 'Copy: https://mcp.weather.example.com/mcp' }).click();
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');
    await expect.poll(clipboard).toBe('https://mcp.weather.example.com/mcp');
    await page.getByText('server.json').click();
    const code = await page.getByRole('region', { name: 'server.json' }).textContent();
    await page.getByRole('button', { name: 'Copy: server.json' }).click();
    await expect.poll(clipboard).toBe(code);
    expect(JSON.parse(code ?? '')).toMatchObject({ name: 'com.example/weather', version: '1.4.0' });
  });
});
