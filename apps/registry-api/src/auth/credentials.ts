import type { IncomingMessage } from 'node:http';

/** The credentials in a request: none, malformed ones, or the token of its Authorization header. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'bearer'; readonly token: string };

const NONE: Credentials = { kind: 'none' };

/** The syntax of RFC 6750, section 2.1, with a case-insensitive scheme (RFC 9110, section 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/**
 * Maximum length of a token in characters. No provider issues longer ones, and the HTTP parser rejects a header of 16
 * KiB anyway.
 */
const MAX_TOKEN_LENGTH = 12 * 1024;

/**
 * Reads the credentials from the Authorization header only, because a token in the query or the body would end up in
 * logs. Two such headers are rejected: Node keeps the first one, but a proxy may have checked the other one.
 */
export function readCredentials({ headers, rawHeaders }: IncomingMessage): Credentials {
  const { authorization } = headers;
  if (authorization === undefined) return NONE;
  if (countAuthorization(rawHeaders) > 1)
    return { kind: 'malformed', why: 'there is more than one Authorization header' };
  // A client that uses another scheme does not know what the registry expects. The challenge tells it (RFC 6750,
  // section 3.1).
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
