import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBrowser, NO_BROWSER, openPage } from '#support/browser.js';
import { ConsoleWorld } from '#support/console-world.js';

/** Writes screenshots of all pages for visual inspection: `npm run console:shots -- OUT`. No test compares them. */
const out = process.env['CONSOLE_SHOTS'] ?? 'console-shots';

const PAGES = [
  { name: 'servers', fragment: '#/', sign: '.row' },
  { name: 'servers-filtered', fragment: '#/?q=search&tag=search&tag=knowledge', sign: '.row' },
  { name: 'servers-none', fragment: '#/?q=nothing&status=active', sign: '.notice' },
  { name: 'server', fragment: '#/servers/com.example/weather', sign: '.way' },
  { name: 'server-deprecated', fragment: '#/servers/com.example/weather?version=1.0.0', sign: '.hint' },
  { name: 'sources', fragment: '#/sources', sign: '.source-line' },
  { name: 'source', fragment: '#/sources/mirror', sign: 'canvas' },
  { name: 'source-quarantine', fragment: '#/sources/ours', sign: '.quarantine' },
  { name: 'source-failed', fragment: '#/sources/shared', sign: '.hint.bad' },
  { name: 'help', fragment: '#/help', sign: '.keys' },
  { name: 'hostile', registry: 'hostile', fragment: '#/servers/attacker.example/markup', sign: '.way' },
  { name: 'sign-in', registry: 'guarded', fragment: '#/sources', sign: '.notice' },
];
const WIDTHS = { small: 320, middle: 800, wide: 1280 };

let world: ConsoleWorld;

beforeAll(async () => {
  const executable = await findBrowser();
  if (executable === undefined) throw new Error(NO_BROWSER);
  world = await ConsoleWorld.start(executable, { interval: '5s' });
  await Promise.all([world.synced(), world.synced('hostile')]);
  await mkdir(out, { recursive: true });
  // Create an interesting history, with changes and failures in between.
  for (let run = 2; run < 14; run++) {
    world.upstream.instead = run % 5 === 4 ? fail : undefined;
    if (run % 3 === 0)
      world.upstream.entries.push({ name: `org.partner/new-${run}`, updatedAt: `2027-01-${10 + run}T00:00:00Z` });
    await world.registries.workflows.syncNow(world.registries.registryCalled('team'), 'mirror');
    await world.registries.nthRun('mirror', run);
  }
  world.upstream.instead = undefined;
});

afterAll(() => world?.[Symbol.asyncDispose]());

const fail: NonNullable<ConsoleWorld['upstream']['instead']> = (_, response) => {
  response.writeHead(400).end('{"error":"out of order"}');
  return true;
};

it.each(['light', 'dark'] as const)('writes every page in %s', async (colorScheme) => {
  for (const [size, width] of Object.entries(WIDTHS)) {
    for (const { name, registry, fragment, sign } of PAGES) {
      const { page } = await openPage(world.browser, `${world.address(registry)}${fragment}`, {
        colorScheme,
        viewport: { width, height: 900 },
        reducedMotion: 'reduce',
      });
      await page.locator(sign).first().waitFor();
      await page.waitForLoadState('networkidle');
      const picture = await page.screenshot({ path: join(out, `${name}-${size}-${colorScheme}.png`) });
      expect(picture.length).toBeGreaterThan(0);
      await page.context().close();
    }
  }
});
