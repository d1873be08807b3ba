/**
 * Parses a `Retry-After` header (RFC 9110, section 10.2.3: seconds or a date) into milliseconds from now. Returns
 * undefined if it is neither.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // A date starts with the name of a day. Without this check, Date would accept "1.5" or "-3" as a date.
  const dateMs = /^[A-Z][a-z]+,? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
