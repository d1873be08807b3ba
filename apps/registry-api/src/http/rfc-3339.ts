const FORMAT = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/i;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Parses an RFC 3339 date-time to milliseconds since 1970, including fractions; undefined for anything else, including
 * days that do not exist. JavaScript's own parser accepts dates without a time or a zone, and February 30.
 */
export function parseRfc3339(text: string): number | undefined {
  const [, date = '', hour = '', minute = '', second = '', fraction = '0', sign, zoneHour = '0', zoneMinute = '0'] =
    FORMAT.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const offsetMinutes = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const wholeSeconds = day + (Number(hour) * 60 + Number(minute) - offsetMinutes) * MINUTE_MS + Number(second) * 1000;
  // Second 60 is a leap second, which occurs only at the end of a day in UTC (section 5.7).
  const leap = second === '60' && wholeSeconds % DAY_MS === 0;
  return Number(second) <= 59 || leap ? wholeSeconds + Number(fraction) * 1000 : undefined;
}
