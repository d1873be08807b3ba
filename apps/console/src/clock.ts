import { useEffect, useState } from 'preact/hooks';

/** The server's clock minus this machine's, in milliseconds. */
let offsetMs = 0;

/** Learns the difference of the two clocks from a `Date` header. It counts whole seconds, hence the half. */
export function noteServerDate(header: string | null): void {
  const serverMs = header === null ? Number.NaN : Date.parse(header) + 500;
  if (!Number.isFinite(serverMs)) return;
  const measured = serverMs - Date.now();
  // Less than a second is the header's own inaccuracy: following it would make countdowns jump.
  if (Math.abs(measured - offsetMs) > 1000) offsetMs = measured;
}

/** Milliseconds since the epoch, by the server's clock. */
export const serverNow = (): number => Date.now() + offsetMs;

/** The server's time, which renders the component again at each period while the tab is visible. */
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
