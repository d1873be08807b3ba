import { RSA_AND_EC_ALGORITHMS } from '../algorithms.js';
import { jwtFields } from '../jwt-fields.js';
import { defineTokenProvider } from '../token-provider.js';

const ALGORITHMS: readonly string[] = RSA_AND_EC_ALGORITHMS;

/** JWTs with RSA and ECDSA signatures, verified by passport-jwt with the provider's published keys. */
export const jwtProvider = defineTokenProvider({
  fields: jwtFields,

  concerns: (token, { issuerUrl }) =>
    token.kind === 'jwt' && token.issuer === issuerUrl && ALGORITHMS.includes(token.algorithm),

  async createVerifier(spec, tools) {
    const { verifyWithPassport } = await import('../verify-with-passport.js');
    const { createJwtVerifier } = await import('../jwt-verification.js');
    return createJwtVerifier(spec, tools, verifyWithPassport);
  },
});
