/**
 * Why a request is refused:
 * - `malformed`: it is not what was asked for
 * - `ambiguous`: its address stands for several things, of which one is wanted
 * - `unauthenticated`: it needs valid credentials
 * - `forbidden`: its caller may not do this, or nobody may
 * - `unknown`: what it names does not exist
 * - `conflict`: what it creates exists or existed
 * - `invalid`: what it contains is against the rules of the product
 * - `unavailable`: something that it needs is away, and a later attempt may succeed
 */
export type RefusalKind =
  'malformed' | 'ambiguous' | 'unauthenticated' | 'forbidden' | 'unknown' | 'conflict' | 'invalid' | 'unavailable';

/** How a client can authenticate, or with which rights, as data; `http/challenge-header.ts` spells it for clients. */
export interface Challenge {
  readonly realm: string;
  /** Where clients learn which providers issue tokens (RFC 9728); absent when the request does not say where it came to. */
  readonly metadataUrl?: string | undefined;
  /** What was wrong with the credentials; absent when none were sent (RFC 6750, section 3.1). */
  readonly fault?: { readonly error: string; readonly description: string; readonly scope?: string };
}

interface RefusalDetails {
  readonly challenge?: Challenge;
  /** The earliest time at which an attempt may succeed. */
  readonly retryAfterSeconds?: number;
}

/** A request that is refused; the message says why and what to do. `http/error.filter.ts` turns it into an answer. */
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
