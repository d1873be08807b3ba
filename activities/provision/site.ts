import type { Site } from '../contract.js';
import type { ServerSettings } from './desired/blueprint.js';
import { digestOf } from './desired/digest.js';

/** Returns what tells operators of different releases or settings apart. `startedAtMs`: when this process started. */
export function siteOf(settings: ServerSettings, version: string, startedAtMs: number): Site {
  return { digest: digestOf([version, settings]), startedAtMs };
}
