import { formatDuration } from './go-duration.js';

const WHY = 'that is the least here';

/** Who asked for a shorter interval than the site allows should not have to guess why it is longer. */
export function clampedWarning(wantedMs: number, leastMs: number): string {
  return `syncs every ${formatDuration(leastMs)} instead of every ${formatDuration(wantedMs)}: ${WHY}`;
}

export function isClampedWarning(message: string): boolean {
  return message.includes(WHY);
}
