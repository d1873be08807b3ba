import { Strategy } from 'passport-strategy';
import type { OAuthProvider } from '#config/auth-spec.js';
import { LEEWAY_SECONDS, toClaims } from '../claims.js';
import type { Claims } from '../claims.js';
import type { ProviderHttp } from '../provider-http.js';
import type { TokenRequest } from '../run-strategy.js';
import { ProviderUnavailable, TokenRefused } from '../verdict.js';
import type { TokenProvider } from './token-provider.js';

/** Tokens that mean something to the provider only: it is asked what (RFC 7662). */
export const introspectionProvider: TokenProvider = {
  concerns: (token, { introspectionUrl }) => token.kind === 'opaque' && introspectionUrl !== undefined,
  strategy: (spec, { http }) => new IntrospectionStrategy(spec, http),
};

/** A flood of random tokens must not become a flood at the provider. */
const MAX_QUESTIONS = 32;

class IntrospectionStrategy extends Strategy {
  readonly #spec: OAuthProvider;
  readonly #http: ProviderHttp;
  #questions = 0;
  /** Runs on this object itself; `authenticate` runs on copies, which have no private fields. */
  readonly introspect = (token: string) => this.#introspect(token);

  constructor(spec: OAuthProvider, http: ProviderHttp) {
    super();
    this.#spec = spec;
    this.#http = http;
  }

  override authenticate(request: never): void {
    const { token } = request as TokenRequest;
    this.introspect(token).then(
      (claims) => this.success(claims),
      (error: Error) => this.error(error),
    );
  }

  async #introspect(token: string): Promise<Claims> {
    if (this.#questions >= MAX_QUESTIONS) throw new ProviderUnavailable('too many tokens are being introspected');
    this.#questions++;
    try {
      const answer = await this.#http.introspect(this.#spec.introspectionUrl as string, token);
      demandValid(answer, this.#spec, Date.now() / 1000);
      return toClaims(answer);
    } finally {
      this.#questions--;
    }
  }
}

/** `active` is the provider's word for all it knows; the rest is checked where the provider says it (RFC 7662, section 2.2). */
function demandValid(answer: Readonly<Record<string, unknown>>, spec: OAuthProvider, nowSeconds: number): void {
  const { active, exp, nbf, iss, aud } = answer;
  if (active !== true) throw new TokenRefused('the provider says that it is not active');
  if (exp !== undefined && !(typeof exp === 'number' && exp + LEEWAY_SECONDS > nowSeconds)) {
    throw new TokenRefused('it has expired');
  }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - LEEWAY_SECONDS <= nowSeconds)) {
    throw new TokenRefused('it is not valid yet');
  }
  if (iss !== undefined && iss !== spec.issuerUrl) throw new TokenRefused('it is of another issuer');
  if (aud !== undefined && ![aud].flat().includes(spec.audience)) throw new TokenRefused('it is for another audience');
}
