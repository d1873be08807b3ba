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
/**
 * The text to type, one letter at a time, each after the page has become idle. Each letter leaves fewer servers, but
 * there is always at least one.
 */
const TEXT = 'postgres-mcp-000';
/** Timeout after which the bench fails with an error. */
const PATIENCE_MS = 60_000;

/**
 * Measures the console with a large catalogue, on loopback: how soon it shows something, and how soon it responds to a
 * key.
 */
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

/**
 * Measures each time together with a baseline on the same machine, so that results of machines with different speeds
 * can be compared.
 */
async function measure(browser: Browser, address: string) {
  const bare = await loadTimes(browser, `${address}console/licences.txt`);
  const shown = await loadTimes(browser, address, '.row');
  const page = await openPage(browser);
  await page.goto(address);
  await page.locator('.row').first().waitFor();
  const total = await page.locator('.found').textContent();
  const lists = await requestTimes(
    page,
    Array.from({ length: LOADS }, () => ''),
  );
  const texts = Array.from(TEXT, (_, at) => TEXT.slice(0, at + 1));
  const searches = await requestTimes(page, texts);
  const keys = await typeAndWait(page, texts);
  const heap = await heapAfterRows(page, address);
  return {
    title: `Console, ${total}; bare: a text file of the same server, or the request alone`,
    head: ['what', 'median', 'worst', 'bare', 'ratio'],
    rows: [
      row('first contentful paint, ms', shown.paints, bare.paints),
      row('first rows, ms', shown.rows, lists),
      row('key to new rows, ms', keys, searches),
      [`heap after ${heap.rows} rows, MB`, Math.round(heap.megabytes), '', '', ''],
    ],
  };
}

function row(what: string, values: readonly number[], bare: readonly number[]): (string | number)[] {
  const ratio = median(values) / median(bare);
  return [
    what,
    Math.round(median(values)),
    Math.round(Math.max(...values)),
    Math.round(median(bare)),
    ratio.toFixed(1),
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

const FIRST_PAINT = `new Promise((resolve, reject) => {
  new PerformanceObserver((list) => {
    const [paint] = list.getEntriesByName('first-contentful-paint');
    if (paint) resolve(paint.startTime);
  }).observe({ type: 'paint', buffered: true });
  setTimeout(() => reject(new Error('nothing is painted')), ${PATIENCE_MS});
})`;

/** Loads a URL repeatedly in new pages. If a selector for rows is given, waits for them. */
async function loadTimes(browser: Browser, address: string, rows?: string) {
  const times = { paints: [] as number[], rows: [] as number[] };
  for (let load = 0; load < LOADS; load++) {
    const page = await openPage(browser);
    await page.goto(address);
    if (rows !== undefined) {
      await page.locator(rows).first().waitFor();
      times.rows.push(await page.evaluate<number>('performance.now()'));
    }
    times.paints.push(await page.evaluate<number>(FIRST_PAINT));
    await page.close();
  }
  return times;
}

/** Returns how long the page waits for the responses to the list's requests, without rendering anything. */
async function requestTimes(page: Page, texts: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const text of texts) {
    const path = `v0.1/servers?version=latest&limit=50&search=${encodeURIComponent(text)}`;
    times.push(
      await page.evaluate<number>(`(async () => {
        const startedAt = performance.now();
        const answer = await fetch(${JSON.stringify(path)}, { signal: AbortSignal.timeout(${PATIENCE_MS}), cache: 'no-store' });
        if (!answer.ok) throw new Error('status ' + answer.status);
        await answer.json();
        return performance.now() - startedAt;
      })()`),
    );
  }
  return times;
}

/** Types a text and returns the time from each key to the frame that shows its rows. */
async function typeAndWait(page: Page, texts: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const text of texts) {
    await page.waitForTimeout(500);
    times.push(
      await page.evaluate<number>(`new Promise((resolve, reject) => {
        const box = document.querySelector('input[type=search]');
        const list = document.querySelector('.page.servers');
        const startedAt = performance.now();
        const observer = new MutationObserver(() => {
          if (document.querySelector('.found.busy')) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now() - startedAt));
        });
        box.value = ${JSON.stringify(text)};
        box.dispatchEvent(new Event('input', { bubbles: true }));
        setTimeout(() => observer.observe(list, { subtree: true, childList: true, characterData: true, attributes: true }));
        setTimeout(() => reject(new Error('typing ' + box.value + ' changes nothing')), ${PATIENCE_MS});
      })`),
    );
  }
  return times;
}

/** Scrolls until there are `ROWS` rows, or as many as a busy machine shows in time, and measures the heap. */
async function heapAfterRows(page: Page, address: string): Promise<{ rows: number; megabytes: number }> {
  await page.goto(`${address}#/`);
  await page.reload();
  const rows = page.locator('.row');
  await rows.first().waitFor();
  const stopAt = performance.now() + PATIENCE_MS;
  while ((await rows.count()) < ROWS && performance.now() < stopAt) {
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.waitForTimeout(50);
  }
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return { rows: await rows.count(), megabytes: usedSize / 1e6 };
}
