/** Formats dates, durations and numbers for the user's languages. */
export interface Formats {
  number(value: number): string;
  /** Date and time, such as `12 Nov 2026, 14:03`. */
  dateTime(ms: number): string;
  date(ms: number): string;
  /** Time of day, such as `14:03:10`. */
  time(ms: number): string;
  /** Relative time, such as `3 minutes ago` or `in 2 days`. */
  relative(ms: number, nowMs: number): string;
  /** Duration, such as `0.2 s` or `1 m 5 s`. */
  duration(ms: number): string;
  list(values: readonly string[]): string;
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** Creates the formats. Uses the browser's own time zone if `timeZone` is absent. */
export function createFormats(locales: readonly string[] | string, timeZone?: string): Formats {
  const zone = timeZone === undefined ? {} : { timeZone };
  const number = new Intl.NumberFormat(locales);
  const dateTime = new Intl.DateTimeFormat(locales, { dateStyle: 'medium', timeStyle: 'short', ...zone });
  const date = new Intl.DateTimeFormat(locales, { dateStyle: 'medium', ...zone });
  const time = new Intl.DateTimeFormat(locales, { timeStyle: 'medium', ...zone });
  const relative = new Intl.RelativeTimeFormat(locales, { numeric: 'auto' });
  const list = new Intl.ListFormat(locales, { type: 'conjunction' });
  const unit = (name: string, maximumFractionDigits: number) =>
    new Intl.NumberFormat(locales, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits });
  const [hours, minutes, seconds, tenths] = [unit('hour', 0), unit('minute', 0), unit('second', 0), unit('second', 1)];
  return {
    number: (value) => number.format(value),
    dateTime: (ms) => dateTime.format(ms),
    date: (ms) => date.format(ms),
    time: (ms) => time.format(ms),
    list: (values) => list.format(values),
    relative(ms, nowMs) {
      const inSeconds = (ms - nowMs) / 1000;
      const [name, length] = UNITS.find(([, length]) => Math.abs(inSeconds) >= length) ?? ['second', 1];
      return relative.format(Math.trunc(inSeconds / length), name);
    },
    duration(ms) {
      if (ms < 59_950) return tenths.format(ms / 1000);
      const whole = Math.round(ms / 1000);
      const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
      return h > 0 ? `${hours.format(h)} ${minutes.format(m)}` : `${minutes.format(m)} ${seconds.format(s)}`;
    },
  };
}

/** Formats a remaining time as `4:12` or `1:04:12`; undefined if none is left. */
export function formatCountdown(ms: number): string | undefined {
  if (ms <= 0) return undefined;
  const whole = Math.ceil(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export const formats = createFormats(typeof navigator === 'undefined' ? 'en' : navigator.languages);
