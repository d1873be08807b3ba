/** A webhook delivery as received. Its body is never parsed. */
export interface Delivery {
  /**
   * Returns the value of a header by its lowercase name. Undefined if it is absent, and empty if it was sent more than
   * once.
   */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
  /** The current time in milliseconds since 1970. */
  readonly nowMs: number;
}

/** A kind of sender, with the way in which its deliveries are authenticated. */
export interface WebhookType {
  /** Value of `webhooks[].type` in a spec. */
  readonly type: string;
  /**
   * Verifies a delivery in constant time. Returns a string that identifies the verified data, which is used to detect
   * replays, or undefined if the proof is missing or wrong.
   */
  prove(delivery: Delivery, secret: Uint8Array): string | undefined;
  /** Returns whether the event may have changed a source. Other events get a response but are ignored. */
  isCounted(delivery: Delivery): boolean;
  /** Returns the error in a secret, apart from its length. If absent, any bytes are a valid secret. */
  secretFault?(secret: Uint8Array): string | undefined;
}
