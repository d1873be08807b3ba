import { trimmedEnd } from '#domain/trimmed-end.js';

/**
 * Normalizes a time in RFC 3339 to UTC with every digit of its fraction, at least three. Returns undefined if the input
 * is not such a time. Digits below a millisecond matter: if a registry stores microseconds and a truncated time is
 * sent, it returns an entry again that has not changed since.
 */
export function toInstant(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  if (!parts) return undefined;
  const [, toSecond = '', fraction = '', zone = ''] = parts;
  const timeMs = Date.parse(`${toSecond}${zone}`.toUpperCase());
  if (Number.isNaN(timeMs)) return undefined;
  const second = new Date(timeMs).toISOString().replace(/\.000Z$/, '');
  // A time zone can shift the year below 1 or above 9999, which RFC 3339 does not allow.
  if (!/^(?!0000)\d{4}-/.test(second)) return undefined;
  return `${second}.${trimmedEnd(fraction, '0').padEnd(3, '0')}Z`;
}

/** Returns whether `instant` is later than `other`. Both must be in the format of {@link toInstant}. */
export function isAfter(instant: string, other: string): boolean {
  // Compares without the Z, because it sorts after any further digit.
  return instant.slice(0, -1) > other.slice(0, -1);
}
