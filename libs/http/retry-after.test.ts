import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from './retry-after.js';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('Retry-After', () => {
  it('is parsed as seconds or as a date', () => {
    expect(parseRetryAfter('120', NOW)).toBe(120_000);
    expect(parseRetryAfter(' 0 ', NOW)).toBe(0);
    expect(parseRetryAfter('Sun, 22 Nov 2026 12:00:30 GMT', NOW)).toBe(30_000);
    expect(parseRetryAfter('Sunday, 22-Nov-26 12:00:30 GMT', NOW)).toBe(30_000);
    expect(parseRetryAfter('Sun, 22 Nov 2026 11:00:00 GMT', NOW)).toBe(0);
  });

  it('is ignored otherwise', () => {
    for (const text of [undefined, '', '-3', '1.5', 'soon', '2026-11-22'])
      expect(parseRetryAfter(text, NOW)).toBeUndefined();
  });
});
