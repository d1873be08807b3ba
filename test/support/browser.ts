import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findBrowser as find, NO_BROWSER } from '#devstack/find-browser.js';

export { NO_BROWSER };

/** Returns the browser of this machine; without one the tests with a browser are skipped, and the output says so. */
export async function findBrowser(): Promise<string | undefined> {
  const executable = await find();
  if (executable === undefined) process.stdout.write(`browser tests are left out: ${NO_BROWSER}\n`);
  return executable;
}

/** Starts a real browser without a window. */
export function startBrowser(executable: string): Promise<Browser> {
  // Chromium refuses root its sandbox; the pages here are our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: executable, args: [...args, '--disable-dev-shm-usage'] });
}

/** A page, and what it said and asked for since it was opened. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, violations of the content security policy, and everything that was written to the console. */
  readonly messages: { readonly type: string; readonly text: string; readonly url: string }[];
  /** URLs in the order in which they were asked for. */
  readonly requested: string[];
}

/** Opens a page in a context of its own, which has no cookies and no storage yet. Without a URL the page is blank. */
export async function openPage(
  browser: Browser,
  url?: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const messages: WatchedPage['messages'] = [];
  const requested: string[] = [];
  page.on('console', (message) =>
    messages.push({ type: message.type(), text: message.text(), url: message.location().url }),
  );
  page.on('pageerror', (error) =>
    messages.push({ type: 'error', text: error.stack ?? error.message, url: page.url() }),
  );
  page.on('request', (request) => requested.push(request.url()));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))",
  );
  if (url !== undefined) await page.goto(url);
  return { page, messages, requested };
}

/** Returns what a page should not have said. */
export const complaintsOf = ({ messages }: WatchedPage): string[] =>
  messages
    .filter(({ type, text }) => ['error', 'warning', 'assert'].includes(type) && !NOT_YET.test(text))
    .map(({ text }) => text);

/** Chromium's own words for an answer while a source was not synced yet, which the page repeats calmly. */
export const NOT_YET = /^Failed to load resource: .* 503 /;
