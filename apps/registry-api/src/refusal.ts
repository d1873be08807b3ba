/**
 * The kind of a refusal:
 * - `malformed`: the request has the wrong form
 * - `ambiguous`: the URL could mean several things, but must mean one
 * - `unauthenticated`: the request needs valid credentials
 * - `forbidden`: the caller, or everybody, lacks the right
 * - `unknown`: the requested object does not exist
 * - `conflict`: the stored state forbids it, e.g. the object to create exists or has existed
 * - `invalid`: the content violates a rule of the product
 * - `unavailable`: a dependency is unavailable, and a retry may succeed
 */
export type RefusalKind =
  'malformed' | 'ambiguous' | 'unauthenticated' | 'forbidden' | 'unknown' | 'conflict' | 'invalid' | 'unavailable';

/** How a client can authenticate, or which scope it lacks; `http/challenge-header.ts` formats it. */
export interface Challenge {
  readonly realm: string;
  /**
   * URL of the metadata that tells clients which providers issue tokens (RFC 9728); absent if the URL of the request is
   * unknown.
   */
  readonly metadataUrl?: string | undefined;
  /** Error in the credentials; absent if none were sent (RFC 6750, section 3.1). */
  readonly fault?: { readonly error: string; readonly description: string; readonly scope?: string };
}

interface RefusalDetails {
  readonly challenge?: Challenge;
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number;
}

/** The refusal of a request. The message says why and what to do. `http/error.filter.ts` converts it to a response. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: RefusalKind,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(message);
  }
}
