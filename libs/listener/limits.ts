/** What one client may cost. Every HTTP port of every process has these limits. */
export const LISTENER_LIMITS = {
  /** Request line and header fields together. */
  headBytes: 16 * 1024,
  headerFields: 100,
  /** One part of a path: no shorter than a head may be, so that a name of any length is looked for, and not found. */
  pathPartLength: 16 * 1024,
  bodyBytes: 1024 * 1024,
  /** Until a request has arrived whole, counted from its first byte or from the connection. */
  requestMs: 10_000,
  /** How often Node looks for requests that take longer; it looks every 30 s by default. */
  requestCheckMs: 1_000,
  /** A client that neither sends nor reads anything for this long is disconnected. */
  stalledMs: 60_000,
  /** Above what proxies and load balancers wait by default, so that they close idle connections first. */
  idleMs: 72_000,
  connections: 4_096,
  /** How long running requests may go on after the listener was told to close. */
  closeMs: 10_000,
} as const;
