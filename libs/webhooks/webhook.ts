/** A delivery of a webhook as it arrived. Its body is never parsed. */
export interface Delivery {
  /** Returns the value of a header by its lower-case name; undefined when absent, and empty when it was sent more than once. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
  /** The present, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** The way in which one kind of sender proves its deliveries. */
export interface WebhookType {
  /** Value of `webhooks[].type` in a spec. */
  readonly type: string;
  /**
   * Verifies a delivery in constant time. Returns a text that identifies what was proven, by which a replay is recognised;
   * undefined when the proof is missing or wrong.
   */
  prove(delivery: Delivery, secret: Uint8Array): string | undefined;
  /** Returns whether the event may have changed a source; others are answered and ignored. */
  isCounted(delivery: Delivery): boolean;
  /** Returns what is wrong with a secret beside its length; absent: any bytes are a secret. */
  secretFault?(secret: Uint8Array): string | undefined;
}
