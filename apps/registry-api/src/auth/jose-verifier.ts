import { callbackify } from 'node:util';
import { errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { LEEWAY_SECONDS } from './claims.js';
import { hasDuplicateNames } from './duplicate-names.js';
import { TokenRefused } from './verdict.js';

interface VerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: string[];
}

/** In the shape that passport-jwt calls its verifier in; what it calls a key is the provider's whole set of them. */
export const verifyWithJose = callbackify(
  (token: string, keys: JWTVerifyGetKey, options: VerifierOptions): Promise<JWTPayload> =>
    verify(token, keys, options).catch((error: unknown) => {
      throw toRefusal(error);
    }),
);

async function verify(token: string, keys: JWTVerifyGetKey, options: VerifierOptions): Promise<JWTPayload> {
  const { issuer, audience, algorithms } = options;
  const checks = { issuer, audience, algorithms, clockTolerance: LEEWAY_SECONDS, requiredClaims: ['exp'] };
  const payload = await verifyWithAny(token, keys, checks);
  // RFC 7519, section 4: JSON.parse takes the last of two claims, and who issued the token may have meant the first.
  const [header = '', claims = ''] = token.split('.');
  if ([header, claims].some((part) => hasDuplicateNames(Buffer.from(part, 'base64url').toString()))) {
    throw new TokenRefused('it has a claim twice');
  }
  return payload;
}

/** Providers may publish several keys under one id; any of them will do. */
async function verifyWithAny(token: string, keys: JWTVerifyGetKey, checks: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, checks)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, checks)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Jose's own words name claims, never values; anything else that it throws is a token or a key that it cannot take. */
function toRefusal(error: unknown): TokenRefused {
  if (error instanceof TokenRefused) return error;
  const why = error instanceof errors.JOSEError ? error.message : 'it cannot be checked with the key that it names';
  return new TokenRefused(why, { cause: error });
}
