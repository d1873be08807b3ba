import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { complaintsOf, openPage } from '#support/browser.js';
import type { ConsoleWorld } from '#support/console-world.js';
import { useConsoleWorld } from '#support/use-console-world.js';

let world: ConsoleWorld;

useConsoleWorld((started) => (world = started));

/** Delays the responses of the upstream registry until the test decides how they end. */
function holdUpstream(): { answer(): void; fail(): void; cut(): void } {
  const waiting: [IncomingMessage, ServerResponse][] = [];
  world.upstream.instead = (request, response) => waiting.push([request, response]) > 0;
  const end = (how: (request: IncomingMessage, response: ServerResponse) => void) => {
    world.upstream.instead = (request, response) => {
      how(request, response);
      return true;
    };
    for (const [request, response] of waiting) how(request, response);
  };
  return {
    answer: () => end((request, response) => world.upstream.handle(request, response)),
    fail: () => end((_, response) => void response.writeHead(400).end('{"error":"out of order"}')),
    cut: () => end((request) => void request.socket.destroy()),
  };
}

const sync = (source: string) => world.registries.workflows.syncNow(world.registries.registryCalled('team'), source);

const line = (page: Page, source: string) => page.locator('.source-line', { hasText: source });

describe('the page of all sources', () => {
  it('follows a sync that runs, fails and recovers, without a reload', async () => {
    const shown = await openPage(world.browser, `${world.address()}#/sources`);
    const { page } = shown;
    await page.evaluate('globalThis.isSamePage = true');
    await line(page, 'mirror').filter({ hasText: 'Up to date' }).waitFor();
    await page
      .locator('.summary', { hasText: /2 healthy and 1 failing · 151 served · 1 hidden · 2 in quarantine/ })
      .waitFor();

    const first = holdUpstream();
    await sync('mirror');
    await line(page, 'mirror').filter({ hasText: 'Syncing' }).waitFor();
    first.fail();
    await line(page, 'mirror')
      .filter({ hasText: /Failed.*retry in/ })
      .waitFor();
    await line(page, 'mirror').filter({ hasText: '400' }).waitFor();

    const second = holdUpstream();
    await sync('mirror');
    await line(page, 'mirror').filter({ hasText: 'Syncing' }).waitFor();
    second.answer();
    await line(page, 'mirror').filter({ hasText: 'Up to date' }).waitFor();
    await page.getByText('mirror is up to date').waitFor({ state: 'attached' });
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    expect(complaintsOf(shown)).toEqual([]);
  });

  it('shows a source that cannot be reached as waiting, not as failed', async () => {
    const { page } = await openPage(world.browser, `${world.address()}#/sources`);
    await line(page, 'mirror').filter({ hasText: 'Up to date' }).waitFor();
    const held = holdUpstream();
    await sync('mirror');
    held.cut();
    await line(page, 'mirror')
      .filter({ hasText: /Unreachable.*retry in/ })
      .waitFor();
    await page.locator('.summary', { hasText: '1 unreachable' }).waitFor();
    await line(page, 'mirror').click();
    await page.locator('.hint.warn', { hasText: 'will be retried' }).waitFor();
    await page.locator('.runs .outcome.unreachable').first().waitFor();
    expect(await page.locator('.hint.bad').count()).toBe(0);
    expect(await page.locator('.runs .message td').first().getAttribute('class')).toBe('muted');
    held.answer();
    await sync('mirror');
    await page.locator('.phase', { hasText: 'Up to date' }).waitFor();
  });

  it('says why a source fails, and what of it is in quarantine', async () => {
    const { page } = await openPage(world.browser, `${world.address()}#/sources`);
    await line(page, 'shared').click();
    await page.locator('.hint.bad', { hasText: 'ConfigMap default/missing does not exist' }).waitFor();
    await page.getByRole('link', { name: 'Sources' }).first().click();
    await line(page, 'ours').click();
    const quarantine = page.locator('.quarantine');
    await quarantine.getByRole('row', { name: /unnamed/ }).waitFor();
    expect(await quarantine.getByRole('row', { name: /old-transport/ }).textContent()).toContain('remotes[0].url');
    await page.locator('.facts', { hasText: 'names: not */experimental-*' }).waitFor();
  });

  it('waits longer after each failure of the server, says since when, and goes on when it answers', async () => {
    const { page } = await openPage(world.browser, `${world.address()}#/sources`);
    await line(page, 'ours').waitFor();
    await page.route('**/v1/sources', (route) => route.abort());
    await page.locator('.bar', { hasText: 'the server does not respond' }).waitFor();
    expect(await line(page, 'ours').count()).toBe(1);
    await page.unroute('**/v1/sources');
    await page.locator('.bar', { hasText: 'the server does not respond' }).waitFor({ state: 'detached' });
  });
});

describe('the page of one source', () => {
  it('shows its runs as a plot and as a table, and leaves for its servers', async () => {
    const shown = await openPage(world.browser, `${world.address()}#/sources/ours`);
    const { page } = shown;
    for (let run = 2; run <= 3; run++) {
      await sync('ours');
      await expect.poll(() => page.locator('.runs tbody tr').count()).toBe(run);
    }
    const plot = page.getByRole('img', { name: /^None of 3 runs failed, median/ });
    await expect.poll(() => plot.locator('canvas').count()).toBe(2);
    await plot.locator('.u-over').first().hover();
    await page.locator('figcaption', { hasText: /Unchanged|Changed/ }).waitFor();
    await page.getByRole('link', { name: 'Show its servers' }).click();
    await page.locator('.found', { hasText: /^26 servers$/ }).waitFor();
    expect(complaintsOf(shown)).toEqual([]);
  });

  it('asks again only while it can be seen', async () => {
    const { page, requested } = await openPage(world.browser, `${world.address()}#/sources/ours`);
    await page.locator('.runs tbody tr').first().waitFor();
    await page.clock.install();
    await page.reload();
    await page.locator('.runs tbody tr').first().waitFor();
    await page.evaluate(
      `Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
       document.dispatchEvent(new Event('visibilitychange'))`,
    );
    requested.length = 0;
    await page.clock.runFor(60_000);
    expect(requested).toEqual([]);
    await page.evaluate(
      `Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
       document.dispatchEvent(new Event('visibilitychange'))`,
    );
    await page.clock.runFor(1_000);
    await expect.poll(() => requested.filter((url) => url.includes('/v1/sources/ours')).length).toBeGreaterThan(0);
  });
});
