import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { findBrowser, NO_BROWSER, openPage, startBrowser } from '#support/browser.js';
import { demoCatalogue } from '#support/console-catalogue.js';
import { findBarriers } from '#support/page-checks.js';
import { RegistryWorld } from '#support/registry-world.js';
import { configMap, configMapSource, manifestOf, mcpRegistry } from '#support/standalone-process.js';
import { entries, UpstreamRegistry } from '#support/upstream-registry.js';

const executable = await findBrowser();
let browser: Browser;
let upstream: UpstreamRegistry;
let world: RegistryWorld;
let api: RegistryApi;

beforeEach(({ skip }) => skip(executable === undefined, NO_BROWSER));

beforeAll(async () => {
  if (executable === undefined) return;
  upstream = new UpstreamRegistry();
  upstream.entries = entries(7);
  upstream.instead = (_, response) => {
    response.writeHead(400).end('{"error":"out of order"}');
    return true;
  };
  browser = await startBrowser(executable);
  const mirror = { name: 'mirror', api: { endpoint: `${await upstream.listen()}/` }, syncPolicy: { interval: '1h' } };
  const ours = { ...configMapSource('ours', 'demo'), format: 'upstream' };
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: manifestOf(mcpRegistry('team', [ours, mirror]), configMap('demo', demoCatalogue())),
  });
  await Promise.all([world.nthRun('ours', 1), world.nthRun('mirror', 1)]);
  api = await world.serve();
});

afterAll(async () => {
  await browser?.close();
  await world?.stop();
  upstream?.close();
});

it('shows what is there while a source was never synced, and everything when it was, without a reload', async () => {
  expect((await fetch(`${api.url}/v0.1/servers`)).status).toBe(503);
  const { page } = await openPage(browser, `${api.url}/`);
  await page.locator('.partial', { hasText: 'mirror has not been synced yet: its servers are missing.' }).waitFor();
  await page.locator('.found', { hasText: /^27 servers$/ }).waitFor();
  expect(await findBarriers(page)).toEqual([]);
  await page.getByRole('searchbox').fill('weather');
  await page.locator('.row', { hasText: 'com.example/weather' }).click();
  await page.locator('.way').first().waitFor();
  await page.locator('.install .code-block').waitFor();
  await page.locator('.origins li', { hasText: 'mirror' }).filter({ hasText: 'Not synced yet' }).waitFor();
  await page.goBack();

  upstream.instead = undefined;
  await world.workflows.syncNow(world.registry, 'mirror');
  await world.nthRun('mirror', 2);
  await page.locator('.partial').waitFor({ state: 'detached', timeout: 120_000 });
  await page.getByRole('searchbox').fill('');
  await page.locator('.found', { hasText: /^34 servers$/ }).waitFor();
  expect(await page.locator('.notice').count()).toBe(0);
});
