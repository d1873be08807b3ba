import type { Site } from '../contract.js';
import type { ServerSettings } from './desired/blueprint.js';
import { digestOf } from './desired/digest.js';

/**
 * Returns the site, which distinguishes operators of different releases or settings. `startedAtMs` is the start time of
 * this process.
 */
export function siteOf(settings: ServerSettings, version: string, startedAtMs: number): Site {
  return { digest: digestOf([version, settings]), startedAtMs };
}
