import { describe, expect, it } from 'vitest';
import { isAfter, toInstant } from './instant.js';

describe('an instant', () => {
  it('is UTC with every digit of its fraction', () => {
    expect(toInstant('2026-01-31T12:00:00Z')).toBe('2026-01-31T12:00:00.000Z');
    expect(toInstant('2026-01-31t12:00:00.1234567z')).toBe('2026-01-31T12:00:00.1234567Z');
    expect(toInstant('2026-01-31T01:00:00.500000+02:00')).toBe('2026-01-30T23:00:00.500Z');
  });

  it('is rejected in any other form', () => {
    const others = ['', '2026-01-31', '2026-01-31T12:00:00', '2026-13-01T00:00:00Z', 'now', 5, null, undefined];
    const beyond = ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00'];
    for (const text of [...others, ...beyond]) expect(toInstant(text)).toBeUndefined();
  });

  it('is compared to the last digit', () => {
    expect(isAfter('2026-01-31T12:00:00.1234Z', '2026-01-31T12:00:00.123Z')).toBe(true);
    expect(isAfter('2026-01-31T12:00:00.123Z', '2026-01-31T12:00:00.1234Z')).toBe(false);
    expect(isAfter('2026-01-31T12:00:00.123Z', '2026-01-31T12:00:00.123Z')).toBe(false);
  });
});
