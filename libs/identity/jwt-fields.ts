import { z } from 'zod';

/** The fields of a provider that apply to JWTs. */
export const jwtFields = {
  requireAccessTokenType: z
    .boolean()
    .optional()
    .describe('requireAccessTokenType accepts only JWTs with the header typ at+jwt (RFC 9068).'),
};

export interface JwtSpec {
  readonly requireAccessTokenType?: boolean | undefined;
}
