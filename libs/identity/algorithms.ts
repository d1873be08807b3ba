/** Signature algorithms that jsonwebtoken, the verifier of passport-jwt, supports. */
export const RSA_AND_EC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/** Signature algorithms with Edwards curves (RFC 8037 and RFC 9864). */
export const EDWARDS_ALGORITHMS = ['EdDSA', 'Ed25519'] as const;
