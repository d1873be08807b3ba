import type { OAuthProvider } from '#config/auth-spec.js';
import type { Claims } from '../claims.js';
import type { KeySet } from '../key-set.js';
import type { ProviderHttp } from '../provider-http.js';
import type { UnverifiedToken } from '../unverified-token.js';

/** The connections of one provider of a spec, which its verifiers share. */
export interface ProviderTools {
  readonly http: ProviderHttp;
  readonly keys: KeySet;
}

/** Resolves to what the provider vouches for; throws TokenRefused, ProviderUnavailable or ProviderMisconfigured. */
export type VerifyToken = (token: string, unverified: UnverifiedToken) => Promise<Claims>;

/** A kind of token. Adding one is a file in this folder and a line in its `index.ts`. */
export interface TokenProvider {
  /** Returns true if the provider of `spec` judges the token; otherwise the provider never sees it. */
  concerns(token: UnverifiedToken, spec: OAuthProvider): boolean;
  createVerifier(spec: OAuthProvider, tools: ProviderTools): VerifyToken;
}
