import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { ProviderSpec } from './provider-fields.js';
import type { Payload } from './jwt-verification.js';
import { LEEWAY_SECONDS } from './token-times.js';
import { EDWARDS_ALGORITHMS } from './algorithms.js';
import { TokenRefused } from './verdict.js';
import type { TokenCheck } from './verdict.js';

/** Verifies a JWT with one key, using jose. Throws TokenRefused. */
export async function verifyWithJose(token: string, key: KeyObject, spec: ProviderSpec): Promise<Payload> {
  const { issuerUrl: issuer, audience } = spec;
  const checks = { issuer, audience, algorithms: [...EDWARDS_ALGORITHMS], clockTolerance: LEEWAY_SECONDS };
  try {
    return (await jwtVerify(token, key, checks)).payload;
  } catch (error) {
    const [check, why] = refusalOf(error);
    throw new TokenRefused(check, why, { cause: error });
  }
}

const CLAIMS: ReadonlyMap<string, readonly [TokenCheck, string]> = new Map(
  Object.entries<readonly [TokenCheck, string]>({
    iss: ['iss', 'it is of another issuer'],
    aud: ['aud', 'it is for another audience'],
    exp: ['time', 'it has expired'],
    nbf: ['time', 'it is not valid yet'],
    iat: ['time', 'its iat is not a number'],
  }),
);

function refusalOf(error: unknown): readonly [TokenCheck, string] {
  if (error instanceof errors.JWTExpired) return ['time', 'it has expired'];
  if (error instanceof errors.JWSSignatureVerificationFailed) return ['signature', 'signature verification failed'];
  const claim = error instanceof errors.JWTClaimValidationFailed ? CLAIMS.get(error.claim) : undefined;
  return claim ?? ['key', 'it cannot be verified with its key (kid)'];
}
