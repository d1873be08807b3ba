import { Refusal } from '../refusal.js';
import type { Challenge } from '../refusal.js';

/** The parameters that every challenge of a registry has. */
export type ChallengeTerms = Pick<Challenge, 'realm' | 'metadataUrl'>;

/**
 * Refuses a request without credentials. There is no error code, because nothing is wrong with the credentials (RFC
 * 6750, section 3.1).
 */
export function loginWanted(terms: ChallengeTerms): Refusal {
  return unauthenticated('missing or malformed authorization header', terms);
}

/** Refuses a request for the caller's identity in an anonymous registry, which authenticates nobody. */
export function neverAuthenticated(): Refusal {
  return unauthenticated('the registry has auth.mode anonymous: its requests are never authenticated', {
    realm: 'mcp-registry',
  });
}

export function malformedCredentials(terms: ChallengeTerms, why: string): Refusal {
  const fault = { error: 'invalid_request', description: why };
  return unauthenticated('missing or malformed authorization header', { ...terms, fault });
}

/**
 * Refuses an invalid token. Deliberately vague: which provider rejected the token, and why, is only in the audit log.
 */
export function invalidToken(terms: ChallengeTerms): Refusal {
  const description = 'token validation failed';
  return unauthenticated(description, { ...terms, fault: { error: 'invalid_token', description } });
}

/** Refuses a known caller whose token lacks a scope that another token may have (RFC 6750, section 3.1). */
export function insufficientScope(terms: ChallengeTerms, scope: string): Refusal {
  const fault = { error: 'insufficient_scope', description: 'the token lacks a scope', scope };
  return new Refusal('forbidden', `the token lacks the scope "${scope}"`, { challenge: { ...terms, fault } });
}

function unauthenticated(message: string, challenge: Challenge): Refusal {
  return new Refusal('unauthenticated', message, { challenge });
}
