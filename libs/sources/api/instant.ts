/**
 * A time in RFC 3339 as UTC with every digit of its fraction, at least three; undefined when the text is none. Digits below
 * the millisecond count: a registry that keeps microseconds gives an entry again when asked for changes since a time that was cut.
 */
export function toInstant(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  if (!parts) return undefined;
  const [, toSecond = '', fraction = '', zone = ''] = parts;
  const timeMs = Date.parse(`${toSecond}${zone}`.toUpperCase());
  if (Number.isNaN(timeMs)) return undefined;
  const second = new Date(timeMs).toISOString().replace(/\.000Z$/, '');
  // Years before 1 and after 9999, which a time zone can make, are no RFC 3339.
  if (!/^(?!0000)\d{4}-/.test(second)) return undefined;
  return `${second}.${fraction.replace(/0+$/, '').padEnd(3, '0')}Z`;
}

/** Returns whether `instant` is later than `other`; both are as {@link toInstant} writes them. */
export function isAfter(instant: string, other: string): boolean {
  // Without the Z, which sorts behind any further digit.
  return instant.slice(0, -1) > other.slice(0, -1);
}
