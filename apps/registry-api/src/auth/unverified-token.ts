import { decodeJwt, decodeProtectedHeader } from 'jose';

/** What a token says of itself. Nobody has vouched for it yet: it decides whom to ask and nothing else. */
export type UnverifiedToken =
  /** Means something to its issuer only. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'jwt'; readonly issuer: string; readonly audiences: readonly string[] }
  /** A JWT that no provider could vouch for. */
  | { readonly kind: 'unfit'; readonly why: string };

/** Signatures by keys that are published; never `none`, and no HMAC, for which a public key could be taken. */
export const ALGORITHMS: readonly string[] = [
  ['RS256', 'RS384', 'RS512'],
  ['PS256', 'PS384', 'PS512'],
  ['ES256', 'ES384', 'ES512'],
  ['EdDSA', 'Ed25519'],
].flat();

/** RFC 7515, section 3.1: base64url, without the padding that decoders put up with. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Tells JWTs from opaque tokens, and finds what is wrong with a JWT before anything goes to the network. What starts
 * like a JWT is none of anybody else's business, whole or not: it must not be taken for opaque and shown around.
 */
export function inspectToken(token: string): UnverifiedToken {
  if (!looksLikeJose(token)) return { kind: 'opaque' };
  try {
    const { alg, kid, crit, b64 } = decodeProtectedHeader(token);
    if (!COMPACT_JWS.test(token)) return unfit('it is no signed JWT');
    if (alg === undefined || !ALGORITHMS.includes(alg)) return unfit('its algorithm is not allowed');
    if (typeof kid !== 'string' || kid === '') return unfit('it does not name its key');
    if (crit !== undefined || b64 !== undefined) return unfit('it has header parameters that are not supported');
    const { iss, aud } = decodeJwt(token);
    if (typeof iss !== 'string') return unfit('it has no issuer');
    const audiences = [aud ?? []].flat();
    if (!audiences.every((audience) => typeof audience === 'string')) return unfit('its audience is not text');
    return { kind: 'jwt', issuer: iss, audiences };
  } catch {
    return unfit('it is a malformed JWT');
  }
}

/** Its header or its claims can be read, or it starts as base64url of a JSON object does: `ey`. */
function looksLikeJose(token: string): boolean {
  const [header = '', claims = ''] = token.split('.', 2);
  return (/^ey[IJ]/.test(header) && token.includes('.')) || isObject(header) || isObject(claims);
}

function isObject(part: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function unfit(why: string): UnverifiedToken {
  return { kind: 'unfit', why };
}
