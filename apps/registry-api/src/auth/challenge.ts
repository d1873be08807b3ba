import { Refusal } from '../refusal.js';
import type { Challenge } from '../refusal.js';

/** What every challenge of a registry says. */
export type ChallengeTerms = Pick<Challenge, 'realm' | 'metadataUrl'>;

/** Refuses a request without credentials: nothing is wrong with them, so there is no error code (RFC 6750, section 3.1). */
export function loginWanted(terms: ChallengeTerms): Refusal {
  return unauthenticated('missing or malformed authorization header', terms);
}

/** Refuses a question about the caller in an anonymous registry, which authenticates none. */
export function neverAuthenticated(): Refusal {
  return unauthenticated('the registry has auth.mode anonymous: its requests are never authenticated', {
    realm: 'mcp-registry',
  });
}

export function malformedCredentials(terms: ChallengeTerms, why: string): Refusal {
  const fault = { error: 'invalid_request', description: why };
  return unauthenticated('missing or malformed authorization header', { ...terms, fault });
}

/** Says little on purpose: which provider refused a token, and for what, is for the audit log. */
export function invalidToken(terms: ChallengeTerms): Refusal {
  const description = 'token validation failed';
  return unauthenticated(description, { ...terms, fault: { error: 'invalid_token', description } });
}

/** Refuses a known caller whose token lacks a scope; another token may have it (RFC 6750, section 3.1). */
export function insufficientScope(terms: ChallengeTerms, scope: string): Refusal {
  const fault = { error: 'insufficient_scope', description: 'the token lacks a scope', scope };
  return new Refusal('forbidden', `the token lacks the scope "${scope}"`, { challenge: { ...terms, fault } });
}

function unauthenticated(message: string, challenge: Challenge): Refusal {
  return new Refusal('unauthenticated', message, { challenge });
}
