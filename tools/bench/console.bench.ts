import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { findBrowser, NO_BROWSER } from '#devstack/find-browser.js';
import { openBenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';
import { publish } from './reads.bench.js';
import { ServerProcess } from './reads/server-process.js';

const NAMES = 50_000;
const LOADS = 10;
const ROWS = 2_000;
/** Typed one letter after the other, each after the page has rested. */
const TEXT = 'server 12';

/** The console over a large catalogue, on loopback: how soon it shows something, and how soon it answers a key. */
export const consoleBench: Bench = {
  name: 'console',

  async run() {
    const executablePath = await findBrowser();
    if (executablePath === undefined) throw new Error(NO_BROWSER);
    await using store = await openBenchStore();
    const file = join(store.directory, 'large.json');
    await generateCatalogue(file, { names: NAMES });
    await publish(store, 'large', file);
    await using api = await ServerProcess.start({
      kind: 'api',
      database: store.database.app,
      namespace: 'bench',
      registry: 'large',
    });
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const browser = await chromium.launch({ executablePath, args: [...args, '--disable-dev-shm-usage'] });
    try {
      return [await measure(browser, `http://127.0.0.1:${api.started.port}/`)];
    } finally {
      await browser.close();
    }
  },
};

async function measure(browser: Browser, address: string) {
  const paints: number[] = [];
  const lists: number[] = [];
  for (let load = 0; load < LOADS; load++) {
    const page = await browser.newPage();
    await page.goto(address);
    await page.locator('.row').first().waitFor();
    lists.push(await page.evaluate<number>('performance.now()'));
    paints.push(await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`));
    await page.close();
  }
  const page = await browser.newPage();
  await page.goto(address);
  await page.locator('.row').first().waitFor();
  const total = await page.locator('.found').textContent();
  const keys = await typeAndWait(page);
  const heapMegabytes = await heapAfterRows(page, address);
  const row = (what: string, values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    return [
      what,
      Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN),
      Math.round(sorted.at(-1) ?? Number.NaN),
    ];
  };
  return {
    title: `Console, ${total}`,
    head: ['what', 'median', 'worst'],
    rows: [
      row('first contentful paint, ms', paints),
      row('first rows, ms', lists),
      row('key to new rows, ms', keys),
      [`heap after ${ROWS} rows, MB`, Math.round(heapMegabytes), ''],
    ],
  };
}

/** Types a text and returns the time from each key to the frame that shows its rows. */
async function typeAndWait(page: Page): Promise<number[]> {
  const times: number[] = [];
  for (let length = 1; length <= TEXT.length; length++) {
    await page.waitForTimeout(500);
    times.push(
      await page.evaluate<number>(`new Promise((resolve) => {
        const box = document.querySelector('input[type=search]');
        const list = document.querySelector('.page.servers');
        const startedAt = performance.now();
        const observer = new MutationObserver(() => {
          if (document.querySelector('.found.busy')) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now() - startedAt));
        });
        box.value = ${JSON.stringify(TEXT.slice(0, length))};
        box.dispatchEvent(new Event('input', { bubbles: true }));
        setTimeout(() => observer.observe(list, { subtree: true, childList: true, characterData: true, attributes: true }));
      })`),
    );
  }
  return times;
}

async function heapAfterRows(page: Page, address: string): Promise<number> {
  await page.goto(`${address}#/`);
  await page.reload();
  const rows = page.locator('.row');
  await rows.first().waitFor();
  while ((await rows.count()) < ROWS) {
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.waitForTimeout(50);
  }
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}
