/** Milliseconds that a `Retry-After` header asks to wait (RFC 9110, section 10.2.3: seconds or a date); undefined when it says neither. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // A date begins with the day's name; without this check Date would take "1.5" or "-3" for one.
  const dateMs = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
