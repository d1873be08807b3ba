/** Limits on the resources that one client may use. They apply to every HTTP port of every process. */
export const LISTENER_LIMITS = {
  /** Maximum size of the request line and the header fields together. */
  headBytes: 16 * 1024,
  headerFields: 100,
  /**
   * Maximum length of one segment of a path. It is as long as a whole request head, so that a name of any length is
   * looked up and reported as not found.
   */
  pathPartLength: 16 * 1024,
  bodyBytes: 1024 * 1024,
  /** Maximum time until a request has been received completely, counted from its first byte or from the connection. */
  requestMs: 10_000,
  /** How often Node checks for requests that exceed the time limit. The default is 30 s. */
  requestCheckMs: 1_000,
  /** A client that neither sends nor reads anything for this long is disconnected. */
  stalledMs: 60_000,
  /**
   * Keep-alive timeout. It is longer than the default idle timeout of proxies and load balancers, so that they close
   * idle connections first.
   */
  idleMs: 72_000,
  connections: 4_096,
  /**
   * Maximum number of requests, over all connections of a port, that wait for an earlier request of their connection to
   * be answered. Few clients send requests in this way (pipelining).
   */
  pipelinedRequests: 1_000,
  /** Maximum time that requests in progress may take after the listener starts to close. */
  closeMs: 10_000,
} as const;
