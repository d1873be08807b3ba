import type { IncomingMessage } from 'node:http';

/** What a request says of its caller: nothing, something that cannot be read, or the value of its Authorization header. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'bearer'; readonly token: string };

const NONE: Credentials = { kind: 'none' };

/** RFC 6750, section 2.1; the scheme in any case (RFC 9110, section 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** Longer than any provider's access tokens; a header of 16 KiB would be refused by the HTTP parser anyway. */
const MAX_TOKEN_LENGTH = 12 * 1024;

/**
 * The Authorization header, and nothing else: a token in the query or the body would end in logs. Node keeps the first
 * of two such headers and a proxy may have looked at the other, so two are none at all.
 */
export function readCredentials({ headers, rawHeaders }: IncomingMessage): Credentials {
  const { authorization } = headers;
  if (authorization === undefined) return NONE;
  if (countAuthorization(rawHeaders) > 1)
    return { kind: 'malformed', why: 'there is more than one Authorization header' };
  // Another scheme is a client that does not know what is wanted here: the challenge tells it (RFC 6750, section 3.1).
  if (!/^bearer(?:\s|$)/i.test(authorization)) return NONE;
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined)
    return { kind: 'malformed', why: 'the Authorization header is not "Bearer", one space, and a token' };
  if (token.length > MAX_TOKEN_LENGTH) return { kind: 'malformed', why: 'the token is too long' };
  return { kind: 'bearer', token };
}

function countAuthorization(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') count++;
  }
  return count;
}
