import { useServerNow } from '../clock.js';
import { formatCountdown, formats } from '../format.js';

/** Relative time of a past or future moment, with the exact time as its title. */
export function RelativeTime({ iso }: { readonly iso: string }) {
  const now = useServerNow(1000);
  const ms = Date.parse(iso);
  if (!Number.isFinite(ms)) return <>{iso}</>;
  return (
    <time dateTime={iso} title={formats.dateTime(ms)}>
      {formats.relative(ms, now)}
    </time>
  );
}

export function DateOnly({ iso }: { readonly iso: string }) {
  const ms = Date.parse(iso);
  if (!Number.isFinite(ms)) return <>{iso}</>;
  return (
    <time dateTime={iso} title={formats.dateTime(ms)}>
      {formats.date(ms)}
    </time>
  );
}

interface CountdownProps {
  readonly iso: string;
  /** Returns a sentence with the remaining time, or without it when no time is left. */
  children(left: string | undefined): string;
}

/** Counts down to a point in time by the server's clock. */
export function Countdown({ iso, children }: CountdownProps) {
  const now = useServerNow(1000);
  const ms = Date.parse(iso);
  return (
    <time dateTime={iso} title={formats.dateTime(ms)} class="countdown">
      {children(formatCountdown(ms - now))}
    </time>
  );
}
