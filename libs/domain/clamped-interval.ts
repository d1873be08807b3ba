import { formatDuration } from './go-duration.js';
import type { Notice } from './notice.js';

/** Who asked for a shorter interval than the site allows should not have to guess why it is longer. */
export function clampedNotice(wantedMs: number, leastMs: number): Notice {
  const [least, wanted] = [formatDuration(leastMs), formatDuration(wantedMs)];
  return {
    reason: 'IntervalClamped',
    message: `syncs every ${least} instead of every ${wanted}: that is the least here`,
  };
}
