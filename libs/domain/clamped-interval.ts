import { formatDuration } from './go-duration.js';
import type { Notice } from './notice.js';

/** Returns the notice for an interval that is shorter than the site's minimum. */
export function clampedNotice(wantedMs: number, leastMs: number): Notice {
  const [least, wanted] = [formatDuration(leastMs), formatDuration(wantedMs)];
  return {
    reason: 'IntervalClamped',
    message: `syncs every ${least} instead of every ${wanted}: the site allows no shorter interval`,
  };
}
