import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { OAuthProvider } from '#config/auth-spec.js';
import { createJwtVerifier } from '../jwt-verification.js';
import type { Payload } from '../jwt-verification.js';
import { LEEWAY_SECONDS } from '../token-times.js';
import { EDWARDS_ALGORITHMS } from '../unverified-token.js';
import { TokenRefused } from '../verdict.js';
import type { TokenCheck } from '../verdict.js';
import type { TokenProvider } from './token-provider.js';

const ALGORITHMS: readonly string[] = EDWARDS_ALGORITHMS;

/** JWTs with Edwards-curve signatures (RFC 8037), which the verifier of passport-jwt does not know; verified by jose. */
export const edwardsJwtProvider: TokenProvider = {
  concerns: (token, { issuerUrl }) =>
    token.kind === 'jwt' && token.issuer === issuerUrl && ALGORITHMS.includes(token.algorithm),

  createVerifier: (spec, tools) => createJwtVerifier(spec, tools, verifyWithJose),
};

async function verifyWithJose(token: string, key: KeyObject, spec: OAuthProvider): Promise<Payload> {
  const { issuerUrl: issuer, audience } = spec;
  const checks = { issuer, audience, algorithms: [...ALGORITHMS], clockTolerance: LEEWAY_SECONDS };
  try {
    return (await jwtVerify(token, key, checks)).payload;
  } catch (error) {
    const [check, why] = refusalOf(error);
    throw new TokenRefused(check, why, { cause: error });
  }
}

const CLAIMS: Readonly<Record<string, readonly [TokenCheck, string]>> = {
  iss: ['iss', 'it is of another issuer'],
  aud: ['aud', 'it is for another audience'],
  exp: ['time', 'it has expired'],
  nbf: ['time', 'it is not valid yet'],
  iat: ['time', 'its iat is not a number'],
};

function refusalOf(error: unknown): readonly [TokenCheck, string] {
  if (error instanceof errors.JWTExpired) return ['time', 'it has expired'];
  if (error instanceof errors.JWSSignatureVerificationFailed) return ['signature', 'signature verification failed'];
  const claim = error instanceof errors.JWTClaimValidationFailed ? CLAIMS[error.claim] : undefined;
  return claim ?? ['key', 'it cannot be checked with the key that it names'];
}
