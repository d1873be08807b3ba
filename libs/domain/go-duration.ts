const NANOSECONDS: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    ns: 1,
    us: 1e3,
    µs: 1e3,
    μs: 1e3,
    ms: 1e6,
    s: 1e9,
    m: 60e9,
    h: 3600e9,
  }),
);

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/** Go's largest duration, 2^63 - 1 nanoseconds (about 292 years), in milliseconds. */
const MAX_MS = 9_223_372_036_854;

/**
 * Parses a duration like Go's `time.ParseDuration` (`1h30m`, `90s`, `1.5h`), but without a sign, to milliseconds;
 * undefined if it is invalid or exceeds Go's maximum. Parts below a millisecond are kept as fractions.
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let nanoseconds = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part; part = PART.exec(text)) {
    nanoseconds += Number(part[1]) * (NANOSECONDS.get(part[2] as string) as number);
    end = PART.lastIndex;
  }
  const milliseconds = nanoseconds / 1e6;
  return end > 0 && end === text.length && milliseconds <= MAX_MS ? milliseconds : undefined;
}

/** Formats a duration in its shortest usual form: `1h30m`, `90ms`, `10s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.round(milliseconds / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('');
}
