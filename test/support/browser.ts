import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findBrowser as find, NO_BROWSER } from '#devstack/find-browser.js';

export { NO_BROWSER };

/**
 * Returns the path of the installed browser. Without a browser, the tests that need one are skipped, and the output
 * says so.
 */
export async function findBrowser(): Promise<string | undefined> {
  const executable = await find();
  if (executable === undefined) process.stdout.write(`browser tests are left out: ${NO_BROWSER}\n`);
  return executable;
}

/** Starts a real browser in headless mode. */
export function startBrowser(executable: string): Promise<Browser> {
  // Chromium refuses to run its sandbox as root. The pages here are our own, so no sandbox is needed.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: executable, args: [...args, '--disable-dev-shm-usage'] });
}

/** A page with its messages and requests since it was opened. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, violations of the content security policy, and all console messages. */
  readonly messages: { readonly type: string; readonly text: string; readonly url: string }[];
  /** URLs in the order in which they were requested. */
  readonly requested: string[];
}

/** Opens a page in a new context without cookies and storage. Without a URL, the page is blank. */
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

/** Returns the unexpected errors and warnings of a page. */
export const complaintsOf = ({ messages }: WatchedPage): string[] =>
  messages
    .filter(({ type, text }) => ['error', 'warning', 'assert'].includes(type) && !NOT_YET.test(text))
    .map(({ text }) => text);

/**
 * Chromium's message for a 503 response, which is expected while a source has not been synced: the page simply retries.
 */
export const NOT_YET = /^Failed to load resource: .* 503 /;
