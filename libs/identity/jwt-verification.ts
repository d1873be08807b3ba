import { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors } from 'jose';
import type { CompactJWSHeaderParameters, CryptoKey, JWTVerifyGetKey } from 'jose';
import { demandAccessTokenClaims, demandAccessTokenHeader } from './access-token.js';
import { toClaims } from './claims.js';
import { hasDuplicateNames } from './duplicate-names.js';
import type { JwtSpec } from './jwt-fields.js';
import type { ProviderSpec } from './provider-fields.js';
import type { ProviderTools, VerifyToken } from './token-provider.js';
import { demandCurrent } from './token-times.js';
import { TokenRefused } from './verdict.js';

export type Payload = Readonly<Record<string, unknown>>;

/** Verifies the signature, issuer, audience and times of a JWT with one key. Throws TokenRefused. */
export type VerifyWithKey = (token: string, key: KeyObject, spec: ProviderSpec) => Promise<Payload>;

/**
 * Returns a function that verifies JWTs as access tokens of one provider (RFC 7519, RFC 8725, RFC 9068). The unverified
 * content of the token is checked first, so that a token that would be rejected anyway causes no request to the
 * provider.
 */
export function createJwtVerifier(
  spec: ProviderSpec & JwtSpec,
  { keys }: ProviderTools,
  verifyWithKey: VerifyWithKey,
): VerifyToken {
  return async (token, unverified) => {
    if (unverified.kind !== 'jwt') throw new TokenRefused('form', 'it is not a JWT');
    demandAccessTokenHeader(unverified.header, spec.requireAccessTokenType === true);
    demandAccessTokenClaims(unverified.claims);
    if (!unverified.audiences.includes(spec.audience)) throw new TokenRefused('aud', 'it is for another audience');
    const payload = await verifyWithAny(token, await keys.forToken(token), (key) => verifyWithKey(token, key, spec));
    demandUniqueNames(token);
    if (payload['exp'] === undefined) throw new TokenRefused('time', 'it does not say when it expires (exp)');
    demandCurrent(payload);
    return toClaims(payload);
  };
}

/** Tries each key that matches the header, because a provider may publish several keys with the same id. */
async function verifyWithAny(
  token: string,
  keys: JWTVerifyGetKey,
  verify: (key: KeyObject) => Promise<Payload>,
): Promise<Payload> {
  let refusal = new TokenRefused('key', 'the provider has no key with its key id (kid)');
  for await (const key of fittingKeys(token, keys)) {
    try {
      return await verify(key);
    } catch (error) {
      if (!(error instanceof TokenRefused) || error.check !== 'signature') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/**
 * Yields the published keys that have the key id of the token's header and may be used with its algorithm (RFC 7517).
 */
async function* fittingKeys(token: string, keys: JWTVerifyGetKey): AsyncGenerator<KeyObject> {
  try {
    const key = await keys(decodeProtectedHeader(token) as CompactJWSHeaderParameters, { payload: '', signature: '' });
    yield KeyObject.from(key as CryptoKey);
  } catch (error) {
    if (error instanceof TokenRefused) throw error;
    if (error instanceof errors.JWKSMultipleMatchingKeys) {
      for await (const key of error) yield KeyObject.from(key);
      return;
    }
    const why = 'its key (kid) cannot be used with its algorithm (alg)';
    throw new TokenRefused('key', why, { cause: error });
  }
}

/**
 * Rejects a token with duplicate names (RFC 7519, section 4): JSON.parse uses the last of two members with the same
 * name, but the issuer may have meant the first.
 */
function demandUniqueNames(token: string): void {
  const [header = '', claims = ''] = token.split('.');
  if ([header, claims].some((part) => hasDuplicateNames(Buffer.from(part, 'base64url').toString()))) {
    throw new TokenRefused('form', 'it has a duplicate claim');
  }
}
