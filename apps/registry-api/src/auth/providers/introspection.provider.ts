import type { OAuthProvider } from '#config/auth-spec.js';
import { demandAccessTokenClaims } from '../access-token.js';
import { toClaims } from '../claims.js';
import { demandCurrent } from '../token-times.js';
import { ProviderUnavailable, TokenRefused } from '../verdict.js';
import type { TokenProvider } from './token-provider.js';

/** Opaque tokens, which the provider's introspection endpoint explains (RFC 7662). */
export const introspectionProvider: TokenProvider = {
  concerns: (token, { introspectionUrl, tokenPrefix = '' }) =>
    token.kind === 'opaque' && introspectionUrl !== undefined && token.value.startsWith(tokenPrefix),

  createVerifier(spec, { http }) {
    let running = 0;
    return async (token) => {
      if (running >= MAX_REQUESTS) throw new ProviderUnavailable('too many tokens are being introspected');
      running++;
      try {
        const answer = await http.introspect(spec.introspectionUrl as string, token);
        demandValid(answer, spec);
        return toClaims(answer);
      } finally {
        running--;
      }
    };
  },
};

/** Requests at a time: a flood of random tokens must not become a flood at the provider. */
const MAX_REQUESTS = 32;

type Answer = Readonly<Record<string, unknown>>;

/** Checks what RFC 7662, section 2.2, lets an answer say; all but `active` is optional there. */
function demandValid(answer: Answer, spec: OAuthProvider): void {
  if (answer['active'] !== true) throw new TokenRefused('active', 'the provider says that it is not active');
  demandCurrent(answer);
  const { iss } = answer;
  if (iss !== undefined && iss !== spec.issuerUrl) throw new TokenRefused('iss', 'it is of another issuer');
  demandMeantForUs(answer, spec);
  demandAccessTokenClaims(answer);
}

/**
 * Demands the audience of the spec. An answer that names none may be about a token of any client of the provider; it counts
 * only if the spec says by which client or scopes such a token is known to be meant for this registry.
 */
function demandMeantForUs(answer: Answer, spec: OAuthProvider): void {
  const { audience, introspectionClientIds: clientIds, introspectionScopes: scopes } = spec;
  const audiences = [answer['aud'] ?? []].flat();
  if (audiences.length > 0) {
    if (audiences.includes(audience)) return;
    throw new TokenRefused('aud', 'it is for another audience');
  }
  if (!clientIds && !scopes) {
    const remedy = 'have the provider name it, or set introspectionClientIds or introspectionScopes';
    throw new TokenRefused('aud', `the provider names no audience (aud): ${remedy}`);
  }
  if (clientIds && !clientIds.includes(answer['client_id'] as string)) {
    throw new TokenRefused(
      'client',
      'it names no audience and is of a client that introspectionClientIds does not list',
    );
  }
  const held = toClaims(answer).scopes;
  if (scopes && !scopes.every((scope) => held.has(scope))) {
    throw new TokenRefused('client', 'it names no audience and lacks one of introspectionScopes');
  }
}
