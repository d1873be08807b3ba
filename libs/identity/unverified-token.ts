import { parseJson } from '#domain/parse-json.js';
import { isFields } from '#domain/fields.js';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { EDWARDS_ALGORITHMS, RSA_AND_EC_ALGORITHMS } from './algorithms.js';
import type { TokenCheck } from './verdict.js';

/** The content of a signed JWT that has not been verified. */
export interface UnverifiedJwt {
  readonly kind: 'jwt';
  readonly algorithm: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The unverified content of a token. It determines which provider verifies the token, and the token may be rejected
 * because of it.
 */
export type UnverifiedToken =
  /** A token that only its issuer understands. */
  | { readonly kind: 'opaque'; readonly value: string }
  | UnverifiedJwt
  /** A JWT that every provider would reject. */
  | { readonly kind: 'unfit'; readonly check: TokenCheck; readonly why: string };

/**
 * Signature algorithms that use published keys. Excludes `none`, and also HMAC, because an attacker could use a public
 * key as the HMAC secret.
 */
const ALGORITHMS: readonly string[] = [...RSA_AND_EC_ALGORITHMS, ...EDWARDS_ALGORITHMS];

/** A JWS in compact form (RFC 7515, section 3.1): base64url without the padding that decoders tolerate. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Distinguishes JWTs from opaque tokens and rejects malformed JWTs before any network request. Anything that starts
 * like a JWT, intact or damaged, is never treated as an opaque token, because opaque tokens are sent to an
 * introspection endpoint.
 */
export function inspectToken(token: string): UnverifiedToken {
  if (!looksLikeJose(token)) return { kind: 'opaque', value: token };
  try {
    const header = decodeProtectedHeader(token);
    const { alg, kid, crit, b64 } = header;
    if (!COMPACT_JWS.test(token)) return unfit('form', 'it is not a signed JWT');
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

/**
 * Returns whether the header or the claims can be decoded to an object, or the token starts with `ey`, like every
 * base64url-encoded JSON object.
 */
function looksLikeJose(token: string): boolean {
  const [header = '', claims = ''] = token.split('.', 2);
  return (/^ey[IJ]/.test(header) && token.includes('.')) || isObject(header) || isObject(claims);
}

function isObject(part: string): boolean {
  return isFields(parseJson(Buffer.from(part, 'base64url').toString()));
}

function unfit(check: TokenCheck, why: string): UnverifiedToken {
  return { kind: 'unfit', check, why };
}
