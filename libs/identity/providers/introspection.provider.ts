import { z } from 'zod';
import { httpUrl } from '#domain/spec-fields.js';
import { Semaphore } from '#concurrency/semaphore.js';
import { demandAccessTokenClaims } from '../access-token.js';
import { toClaims } from '../claims.js';
import { demandCurrent } from '../token-times.js';
import { ProviderBusy, TokenRefused } from '../verdict.js';
import { defineTokenProvider } from '../token-provider.js';
import type { ProviderSpec } from '../provider-fields.js';
import { scope } from '../scope.js';

const introspectionFields = {
  introspectionUrl: httpUrl
    .optional()
    .describe('introspectionUrl is the token introspection endpoint for opaque tokens (RFC 7662).'),
  tokenPrefix: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9._~+/-]+$/, {
      error: 'must be the beginning of a token: letters, digits, ".", "_", "~", "+", "/" and "-"',
    })
    .optional()
    .describe('tokenPrefix is the prefix of the opaque tokens of this provider. Other tokens are not sent to it.'),
  introspectionClientIds: z
    .array(z.string().min(1).max(1024))
    .min(1)
    .max(50)
    .optional()
    .describe(
      'introspectionClientIds are the clients whose opaque tokens are accepted although introspection returns no audience.',
    ),
  introspectionScopes: z
    .array(scope)
    .min(1)
    .max(50)
    .optional()
    .describe(
      'introspectionScopes are the scopes that an opaque token must have to be accepted although introspection returns no audience.',
    ),
};

type IntrospectionSpec = ProviderSpec & z.output<z.ZodObject<typeof introspectionFields>>;

/** Opaque tokens, which are verified by the provider's introspection endpoint (RFC 7662). */
export const introspectionProvider = defineTokenProvider({
  fields: introspectionFields,
  endpoints: ['introspectionUrl'],

  concerns: (token, { introspectionUrl, tokenPrefix = '' }) =>
    token.kind === 'opaque' && introspectionUrl !== undefined && token.value.startsWith(tokenPrefix),

  async createVerifier(spec, { http }) {
    const requests = new Semaphore(MAX_REQUESTS);
    let admitted = 0;
    return async (token) => {
      if (admitted >= MAX_REQUESTS + MAX_WAITING) throw new ProviderBusy('too many tokens are being introspected');
      admitted++;
      try {
        using _permit = await requests.acquire();
        const answer = await http.introspect(spec.introspectionUrl as string, token);
        demandValid(answer, spec);
        return toClaims(answer);
      } finally {
        admitted--;
      }
    };
  },
});

/**
 * Maximum number of concurrent introspection requests, so that a flood of random tokens does not become a flood of
 * requests to the provider.
 */
const MAX_REQUESTS = 32;
/** Maximum number of tokens that wait for their request, first in, first out, so that random ones keep nobody out. */
const MAX_WAITING = 256;

type Answer = Readonly<Record<string, unknown>>;

/** Checks the members of a response that RFC 7662, section 2.2, defines. All but `active` are optional. */
function demandValid(answer: Answer, spec: IntrospectionSpec): void {
  if (answer['active'] !== true) throw new TokenRefused('active', 'the provider says that it is not active');
  demandCurrent(answer);
  const { iss } = answer;
  if (iss !== undefined && iss !== spec.issuerUrl) throw new TokenRefused('iss', 'it is of another issuer');
  demandMeantForUs(answer, spec);
  demandAccessTokenClaims(answer);
}

/**
 * Requires the audience of the spec. If the response has no audience, it may describe a token of any client of the
 * provider. It is then accepted only if the spec lists the clients or scopes that identify tokens for this registry.
 */
function demandMeantForUs(answer: Answer, spec: IntrospectionSpec): void {
  const { audience, introspectionClientIds: clientIds, introspectionScopes: scopes } = spec;
  const audiences = [answer['aud'] ?? []].flat();
  if (audiences.length > 0) {
    if (audiences.includes(audience)) return;
    throw new TokenRefused('aud', 'it is for another audience');
  }
  if (!clientIds && !scopes) {
    const remedy = 'configure the provider to return it, or set introspectionClientIds or introspectionScopes';
    throw new TokenRefused('aud', `the provider names no audience (aud): ${remedy}`);
  }
  if (clientIds && !clientIds.includes(answer['client_id'] as string)) {
    throw new TokenRefused(
      'client',
      'it names no audience and is of a client that introspectionClientIds does not list',
    );
  }
  const held = toClaims(answer).scopes;
  if (scopes && !scopes.every((scope) => held.has(scope))) {
    throw new TokenRefused('client', 'it names no audience and lacks one of introspectionScopes');
  }
}
