import { useEffect, useState } from 'preact/hooks';

/** Offset of the server's clock from this machine's, in milliseconds. */
let offsetMs = 0;

/** Updates the offset from a `Date` header. The header has whole seconds, so half a second is added. */
export function noteServerDate(header: string | null): void {
  const serverMs = header === null ? Number.NaN : Date.parse(header) + 500;
  if (!Number.isFinite(serverMs)) return;
  const measured = serverMs - Date.now();
  // Ignore differences below a second: the header is not more accurate, and countdowns would jump.
  if (Math.abs(measured - offsetMs) > 1000) offsetMs = measured;
}

/** Returns the time by the server's clock, in milliseconds since the epoch. */
export const serverNow = (): number => Date.now() + offsetMs;

/** Returns the server's time and rerenders the component every `everyMs` while the tab is visible. */
export function useServerNow(everyMs = 1000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setNow(serverNow());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
