import { decodeJwt, decodeProtectedHeader } from 'jose';
import { EDWARDS_ALGORITHMS, RSA_AND_EC_ALGORITHMS } from './algorithms.js';
import type { TokenCheck } from './verdict.js';

/** A signed JWT as it describes itself. */
export interface UnverifiedJwt {
  readonly kind: 'jwt';
  readonly algorithm: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a token says of itself. It is not verified: it decides which provider judges the token, and it may refuse it. */
export type UnverifiedToken =
  /** A token that only its issuer understands. */
  | { readonly kind: 'opaque'; readonly value: string }
  | UnverifiedJwt
  /** A JWT that no provider can accept. */
  | { readonly kind: 'unfit'; readonly check: TokenCheck; readonly why: string };

/** Signatures by published keys; never `none`, and never HMAC, whose secret could be a public key. */
const ALGORITHMS: readonly string[] = [...RSA_AND_EC_ALGORITHMS, ...EDWARDS_ALGORITHMS];

/** RFC 7515, section 3.1: base64url without the padding that decoders tolerate. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Tells JWTs from opaque tokens and refuses malformed JWTs before anything goes to the network. Whatever starts like a JWT,
 * whole or damaged, is never taken for an opaque token, which would be shown to an introspection endpoint.
 */
export function inspectToken(token: string): UnverifiedToken {
  if (!looksLikeJose(token)) return { kind: 'opaque', value: token };
  try {
    const header = decodeProtectedHeader(token);
    const { alg, kid, crit, b64 } = header;
    if (!COMPACT_JWS.test(token)) return unfit('form', 'it is no signed JWT');
    if (alg === undefined || !ALGORITHMS.includes(alg)) return unfit('signature', 'its algorithm is not allowed');
    if (typeof kid !== 'string' || kid === '') return unfit('key', 'it does not name its key (kid)');
    if (crit !== undefined || b64 !== undefined)
      return unfit('form', 'it has header parameters that are not supported');
    const claims = decodeJwt(token);
    const { iss, aud } = claims;
    if (typeof iss !== 'string') return unfit('iss', 'it has no issuer (iss)');
    const audiences = [aud ?? []].flat();
    if (!audiences.every((audience) => typeof audience === 'string')) return unfit('aud', 'its audience is not text');
    return { kind: 'jwt', algorithm: alg, issuer: iss, audiences, header: { ...header }, claims };
  } catch {
    return unfit('form', 'it is a malformed JWT');
  }
}

/** Returns true if the header or the claims can be decoded, or the token starts as base64url of a JSON object does: `ey`. */
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

function unfit(check: TokenCheck, why: string): UnverifiedToken {
  return { kind: 'unfit', check, why };
}
