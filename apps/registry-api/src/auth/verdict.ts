import type { Claims } from './claims.js';

/** What came of showing a token to a provider. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly claims: Claims }
  /** `why` is for the log; it never holds a part of the token. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The provider could not be asked, so nobody knows. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Why a token is refused. */
export class TokenRefused extends Error {}

/** Why a provider cannot vouch for any token at the moment. The message never holds a secret. */
export class ProviderUnavailable extends Error {}
