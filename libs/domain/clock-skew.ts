/** Maximum difference assumed between the clocks of the machines of one site. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** Returns whether a time is further in the future than the difference between two clocks can explain. */
export function isImpossible(timeMs: number, nowMs: number): boolean {
  return timeMs > nowMs + CLOCK_SKEW_MS;
}
