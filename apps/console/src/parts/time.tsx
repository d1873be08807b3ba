import { useServerNow } from '../clock.js';
import { formatCountdown, formats } from '../format.js';

/** How long ago a moment was, or how far away it is; the exact time is its title. */
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
  /** Puts what is left into a sentence. */
  children(left: string | undefined): string;
}

/** Counts down to a moment by the server's clock. */
export function Countdown({ iso, children }: CountdownProps) {
  const now = useServerNow(1000);
  const ms = Date.parse(iso);
  return (
    <time dateTime={iso} title={formats.dateTime(ms)} class="countdown">
      {children(formatCountdown(ms - now))}
    </time>
  );
}
