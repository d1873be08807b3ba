import { EDWARDS_ALGORITHMS } from '../algorithms.js';
import { jwtFields } from '../jwt-fields.js';
import { defineTokenProvider } from '../token-provider.js';

const ALGORITHMS: readonly string[] = EDWARDS_ALGORITHMS;

/**
 * JWTs with Edwards-curve signatures (RFC 8037). They are verified by jose, because the verifier of passport-jwt does
 * not support them.
 */
export const edwardsJwtProvider = defineTokenProvider({
  fields: jwtFields,

  concerns: (token, { issuerUrl }) =>
    token.kind === 'jwt' && token.issuer === issuerUrl && ALGORITHMS.includes(token.algorithm),

  async createVerifier(spec, tools) {
    const { verifyWithJose } = await import('../verify-with-jose.js');
    const { createJwtVerifier } = await import('../jwt-verification.js');
    return createJwtVerifier(spec, tools, verifyWithJose);
  },
});
