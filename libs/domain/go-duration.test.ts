import { expect, it } from 'vitest';
import { formatDuration, parseGoDuration } from './go-duration.js';

it.each([
  ['30m', 1_800_000],
  ['1h30m', 5_400_000],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['100ms', 100],
  ['1500us', 1.5],
  ['1µs', 0.001],
  ['1μs', 0.001],
  ['2000000ns', 2],
  ['1h1m1s1ms', 3_661_001],
  ['0', 0],
  ['0s', 0],
])('reads %s as Go does', (text, milliseconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 9);
});

it.each(['', '30', 'm', '1d', '1h 30m', ' 1h', '1h ', '-1h', '+1h', '1,5h', '.s', '1e3s', '1hm', '9999999h'])(
  'does not accept "%s" as a duration',
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);

it.each([
  [5_400_000, '1h30m'],
  [90_000, '1m30s'],
  [10_000, '10s'],
  [250, '250ms'],
  [3_600_000, '1h'],
])('formats %i ms in the shortest usual form', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
