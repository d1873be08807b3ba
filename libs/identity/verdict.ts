import type { Claims } from './claims.js';

/**
 * The check that rejected a token, for the audit log: its form, its issuer, its audience, the key that it refers to,
 * its signature, its times, its type, its client or scopes, its state according to the provider, or the configuration
 * of the provider.
 */
export type TokenCheck =
  'form' | 'iss' | 'aud' | 'key' | 'signature' | 'time' | 'type' | 'client' | 'active' | 'configuration';

/**
 * The result of the verification of a token by a provider. `why` is for the log and never contains any part of the
 * token.
 */
export type Verdict =
  | { readonly kind: 'accepted'; readonly claims: Claims }
  | { readonly kind: 'refused'; readonly check: TokenCheck; readonly why: string }
  /** The provider cannot be reached, so the token may be valid. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Thrown if a token is rejected. The message continues the sentence "the token was refused: …". */
export class TokenRefused extends Error {
  constructor(
    readonly check: TokenCheck,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Thrown if a provider cannot verify any token at the moment. The message never contains a secret. */
export class ProviderUnavailable extends Error {}

/** Thrown if too many tokens are being verified, which is not a fault of the provider: any client may send tokens. */
export class ProviderBusy extends ProviderUnavailable {}

/** Thrown if the spec prevents any request to a provider until it is edited. The message never contains a secret. */
export class ProviderMisconfigured extends Error {}

/** Converts an error of a verification to a verdict. Rethrows unexpected errors, which are bugs in this program. */
export function toVerdict(error: unknown): Verdict {
  if (error instanceof TokenRefused) return { kind: 'refused', check: error.check, why: error.message };
  if (error instanceof ProviderMisconfigured) return { kind: 'refused', check: 'configuration', why: error.message };
  if (error instanceof ProviderUnavailable) return { kind: 'unavailable', why: error.message };
  throw error;
}
