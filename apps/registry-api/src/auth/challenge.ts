import { Problem } from '../http/problem.js';

/** What every challenge of a registry says. */
export interface ChallengeTerms {
  readonly realm: string;
  /** Where clients learn who issues tokens for it (RFC 9728); absent when the request does not say where it came to. */
  readonly metadataUrl?: string | undefined;
}

/** No credentials came, so nothing is wrong with them: no error code (RFC 6750, section 3.1). */
export function loginWanted(terms: ChallengeTerms): Problem {
  return unauthorized('missing or malformed authorization header', terms, {});
}

/** The answer to a question about the caller in an anonymous registry, which authenticates none. */
export function neverAuthenticated(): Problem {
  return unauthorized(
    'the registry has auth.mode anonymous: its requests are never authenticated',
    { realm: 'mcp-registry' },
    {},
  );
}

export function malformedCredentials(terms: ChallengeTerms, why: string): Problem {
  const parameters = { error: 'invalid_request', error_description: why };
  return unauthorized('missing or malformed authorization header', terms, parameters);
}

/** Says little on purpose: which provider refused a token, and for what, is for the audit log. */
export function invalidToken(terms: ChallengeTerms): Problem {
  const text = 'token validation failed';
  return unauthorized(text, terms, { error: 'invalid_token', error_description: text });
}

/** The caller is known and may not; another token may (RFC 6750, section 3.1). */
export function insufficientScope(terms: ChallengeTerms, scope: string): Problem {
  const message = `the token lacks the scope "${scope}"`;
  const parameters = { error: 'insufficient_scope', error_description: 'the token lacks a scope', scope };
  return new Problem(403, message, challenge(terms, parameters));
}

function unauthorized(message: string, terms: ChallengeTerms, parameters: Readonly<Record<string, string>>): Problem {
  return new Problem(401, message, challenge(terms, parameters));
}

/** RFC 6750, section 3, and RFC 9728, section 5.1. */
function challenge(
  { realm, metadataUrl }: ChallengeTerms,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = { realm, ...parameters, ...(metadataUrl !== undefined && { resource_metadata: metadataUrl }) };
  const quoted = Object.entries(all).map(([name, value]) => `${name}=${quote(value)}`);
  return { 'www-authenticate': `Bearer ${quoted.join(', ')}` };
}

/** A quoted string of a header (RFC 9110, section 5.6.4); what could end the header or the string is taken out or escaped. */
function quote(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`;
}
