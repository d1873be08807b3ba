import type { Strategy } from 'passport-strategy';
import type { OAuthProvider } from '#config/auth-spec.js';
import type { KeySet } from '../key-set.js';
import type { ProviderHttp } from '../provider-http.js';
import type { UnverifiedToken } from '../unverified-token.js';

/** What a strategy may use of the world; one set for each provider in a spec. */
export interface ProviderTools {
  readonly http: ProviderHttp;
  readonly keys: KeySet;
}

/** One way in which a provider that a spec names can vouch for a token. */
export interface TokenProvider {
  /** Whether the token is this provider's business; otherwise it never gets to see it. */
  concerns(token: UnverifiedToken, spec: OAuthProvider): boolean;
  strategy(spec: OAuthProvider, tools: ProviderTools): Strategy;
}
