import type { KeyObject } from 'node:crypto';
import { Strategy } from 'passport-jwt';
import type { ProviderSpec } from './provider-fields.js';
import type { Payload } from './jwt-verification.js';
import { LEEWAY_SECONDS } from './token-times.js';
import { RSA_AND_EC_ALGORITHMS } from './algorithms.js';
import { TokenRefused } from './verdict.js';

/** Verifies a JWT with one key, using passport-jwt. Throws TokenRefused. */
export function verifyWithPassport(token: string, key: KeyObject, spec: ProviderSpec): Promise<Payload> {
  return new Promise((resolve, reject) => {
    new OneTokenStrategy(token, key, spec, resolve, (error) => reject(toRefusal(error))).authenticate({} as never);
  });
}

/**
 * A passport-jwt strategy for a single token. It is created for each request, whereas passport would copy a shared
 * strategy for each request.
 */
class OneTokenStrategy extends Strategy {
  override readonly success: (payload: Payload) => void;
  override readonly fail: (error: unknown) => void;
  override readonly error: (error: unknown) => void;

  constructor(
    token: string,
    key: KeyObject,
    { issuerUrl, audience }: ProviderSpec,
    onSuccess: (payload: Payload) => void,
    onFailure: (error: unknown) => void,
  ) {
    super(
      {
        jwtFromRequest: () => token,
        // The type declarations allow PEM strings only, but jsonwebtoken accepts key objects too.
        secretOrKeyProvider: (_request, _token, done) => done(null, key as never),
        issuer: issuerUrl,
        audience,
        algorithms: [...RSA_AND_EC_ALGORITHMS],
        jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS },
      },
      (payload: Payload, done) => done(null, payload),
    );
    this.success = onSuccess;
    this.fail = onFailure;
    this.error = onFailure;
  }
}

/**
 * Maps the errors of jsonwebtoken by name and message. Its messages are not repeated, because they may contain values
 * of claims.
 */
function toRefusal(error: unknown): TokenRefused {
  const { name = '', message = '' } = (error ?? {}) as Partial<Error>;
  const refuse = (...[check, why]: ConstructorParameters<typeof TokenRefused>) =>
    new TokenRefused(check, why, { cause: error });
  if (name === 'TokenExpiredError' || message === 'invalid exp value') return refuse('time', 'it has expired');
  if (name === 'NotBeforeError' || message === 'invalid nbf value') return refuse('time', 'it is not valid yet');
  if (message.startsWith('jwt issuer invalid')) return refuse('iss', 'it is of another issuer');
  if (message.startsWith('jwt audience invalid')) return refuse('aud', 'it is for another audience');
  if (message === 'invalid signature') return refuse('signature', 'signature verification failed');
  return refuse('key', 'it cannot be verified with its key (kid)');
}
