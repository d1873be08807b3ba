import { findOnPath } from './find-on-path.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

/** The error if no browser is found, with the remedy. */
export const NO_BROWSER = 'there is no Chromium: install it, or set CHROMIUM to its path';

/** Returns the browser set in CHROMIUM, or the first one on PATH. */
export async function findBrowser(): Promise<string | undefined> {
  const named = process.env['CHROMIUM'];
  if (named) return named;
  const found = await Promise.all(NAMES.map(findOnPath));
  return found.flat()[0];
}
