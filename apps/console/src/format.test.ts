import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFormats, formatCountdown } from './format.js';

const MOMENT = Date.parse('2026-11-30T23:30:05Z');
/** Replaces all kinds of space characters, because languages use different separators. */
const plain = (text: string) => text.replace(/\p{Zs}/gu, ' ');

describe.each([
  {
    locale: 'en',
    zone: 'America/New_York',
    dateTime: 'Nov 30, 2026, 6:30 PM',
    date: 'Nov 30, 2026',
    time: '6:30:05 PM',
    number: '70,000',
    ago: '3 minutes ago',
    ahead: 'in 2 days',
    short: '0.2s',
    long: '1m 5s',
    hours: '2h 3m',
  },
  {
    locale: 'de',
    zone: 'Europe/Berlin',
    dateTime: '01.12.2026, 00:30',
    date: '01.12.2026',
    time: '00:30:05',
    number: '70.000',
    ago: 'vor 3 Minuten',
    ahead: 'übermorgen',
    short: '0,2 Sek.',
    long: '1 Min. 5 Sek.',
    hours: '2h 3 Min.',
  },
  {
    locale: 'ja',
    zone: 'Asia/Tokyo',
    dateTime: '2026/12/01 8:30',
    date: '2026/12/01',
    time: '8:30:05',
    number: '70,000',
    ago: '3 分前',
    ahead: '明後日',
    short: '0.2s',
    long: '1m 5s',
    hours: '2h 3m',
  },
])('in $locale, $zone', ({ locale, zone, ...wanted }) => {
  const formats = createFormats(locale, zone);

  it('formats points in time', () => {
    expect(plain(formats.dateTime(MOMENT))).toBe(wanted.dateTime);
    expect(plain(formats.date(MOMENT))).toBe(wanted.date);
    expect(plain(formats.time(MOMENT))).toBe(wanted.time);
    expect(plain(formats.relative(MOMENT - 200_000, MOMENT))).toBe(wanted.ago);
    expect(plain(formats.relative(MOMENT + 2.5 * 86_400_000, MOMENT))).toBe(wanted.ahead);
  });

  it('formats durations and numbers', () => {
    expect(plain(formats.duration(180))).toBe(wanted.short);
    expect(plain(formats.duration(65_000))).toBe(wanted.long);
    expect(plain(formats.duration(2 * 3_600_000 + 3 * 60_000))).toBe(wanted.hours);
    expect(formats.number(70_000)).toBe(wanted.number);
  });
});

describe('a countdown', () => {
  it.each([
    [1, '0:01'],
    [999, '0:01'],
    [1001, '0:02'],
    [252_000, '4:12'],
    [3_599_001, '1:00:00'],
    [3_852_000, '1:04:12'],
    [0, undefined],
    [-5000, undefined],
  ])('%d ms', (ms, text) => {
    expect(formatCountdown(ms)).toBe(text);
  });

  it('never grows as time passes', () => {
    const seconds = (text: string | undefined) =>
      (text ?? '0').split(':').reduce((total, part) => total * 60 + Number(part), 0);
    fc.assert(
      fc.property(fc.nat(1e8), fc.nat(5000), (left, later) => {
        expect(seconds(formatCountdown(left - later))).toBeLessThanOrEqual(seconds(formatCountdown(left)));
        expect(seconds(formatCountdown(left))).toBe(Math.ceil(left / 1000));
      }),
    );
  });
});
