import { callbackify } from 'node:util';
import { Strategy as JwtStrategy } from 'passport-jwt';
import { toClaims } from '../claims.js';
import { verifyWithJose } from '../jose-verifier.js';
import type { TokenRequest } from '../run-strategy.js';
import { ALGORITHMS } from '../unverified-token.js';
import type { TokenProvider } from './token-provider.js';

// The place that passport-jwt leaves for it. Its own verifier is jsonwebtoken, which knows no EdDSA.
Object.assign(JwtStrategy, { JwtVerifier: verifyWithJose });

/** Tokens that carry their claims, signed by the provider (RFC 7519): checked here with its published keys. */
export const jwtProvider: TokenProvider = {
  concerns: (token, { issuerUrl, audience }) =>
    token.kind === 'jwt' && token.issuer === issuerUrl && token.audiences.includes(audience),

  strategy: ({ issuerUrl, audience }, { keys }) =>
    new JwtStrategy(
      {
        jwtFromRequest: ({ token }: TokenRequest) => token,
        secretOrKeyProvider: callbackify((_request: unknown, token: string) => keys.forToken(token)) as never,
        issuer: issuerUrl,
        audience,
        algorithms: ALGORITHMS as never,
      },
      (payload: Record<string, unknown>, done) => done(null, toClaims(payload)),
    ),
};
