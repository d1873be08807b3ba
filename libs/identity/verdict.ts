import type { Claims } from './claims.js';

/**
 * The check that a token failed, for the audit log: its form, its issuer, its audience, the key that it names, its signature,
 * its times, its type, its client or scopes, its state at the provider, or the configuration of the provider.
 */
export type TokenCheck =
  'form' | 'iss' | 'aud' | 'key' | 'signature' | 'time' | 'type' | 'client' | 'active' | 'configuration';

/** The result of showing a token to a provider. `why` is for the log and never holds a part of the token. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly claims: Claims }
  | { readonly kind: 'refused'; readonly check: TokenCheck; readonly why: string }
  /** The provider cannot be reached, so the token may be good. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** A token was refused. The message continues the sentence "the token was refused: …". */
export class TokenRefused extends Error {
  constructor(
    readonly check: TokenCheck,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A provider cannot vouch for any token at the moment. The message never holds a secret. */
export class ProviderUnavailable extends Error {}

/** The spec keeps a provider from ever being asked, until it is edited. The message never holds a secret. */
export class ProviderMisconfigured extends Error {}

/** Turns what a verification threw into a verdict; rethrows faults of our own. */
export function toVerdict(error: unknown): Verdict {
  if (error instanceof TokenRefused) return { kind: 'refused', check: error.check, why: error.message };
  if (error instanceof ProviderMisconfigured) return { kind: 'refused', check: 'configuration', why: error.message };
  if (error instanceof ProviderUnavailable) return { kind: 'unavailable', why: error.message };
  throw error;
}
