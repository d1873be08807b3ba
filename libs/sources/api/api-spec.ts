import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { parseGoDuration } from '#domain/go-duration.js';
import { configMapKeyRef, goDurationField, httpUrl, secretKeyRef } from '#domain/spec-fields.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 300_000;
const CLIENT_ID_LIMIT = 255;
const PARAMETER_LIMIT = 1024;

/** A parameter of a token request (RFC 6749, appendix A). */
const parameter = z
  .string()
  .min(1)
  .max(PARAMETER_LIMIT)
  .regex(/^[ -~]*$/, 'must be ASCII text in one line');

const clientCredentials = z.strictObject({
  tokenUrl: httpUrl.describe('tokenUrl is the URL of the token endpoint of the identity provider.'),
  clientId: parameter.max(CLIENT_ID_LIMIT).describe('clientId is the OAuth client ID.'),
  clientSecretRef: secretKeyRef.describe('clientSecretRef refers to the client secret.'),
  scope: parameter.optional().describe('scope is the scope to request. Several scopes are separated by spaces.'),
  audience: parameter.optional().describe('audience is sent as the parameter audience, which some providers require.'),
  resource: parameter
    .optional()
    .describe(
      'resource is the URL by which the provider knows the registry. It is sent as the parameter resource (RFC 8707).',
    ),
});

export type ClientCredentials = z.output<typeof clientCredentials>;

const ONE_WAY = 'needs either tokenSecretRef or clientCredentials: set one of them';

const authSpec = z
  .strictObject({
    tokenSecretRef: secretKeyRef.optional().describe('tokenSecretRef refers to a bearer token.'),
    clientCredentials: clientCredentials
      .optional()
      .describe('clientCredentials obtains bearer tokens from an identity provider (OAuth 2.0 client credentials).'),
  })
  .superRefine(({ tokenSecretRef, clientCredentials: client }, context) => {
    const isOne = (tokenSecretRef === undefined) !== (client === undefined);
    if (!isOne) context.addIssue({ code: 'custom', message: ONE_WAY });
  })
  .meta(admission({ rule: 'has(self.tokenSecretRef) != has(self.clientCredentials)', message: ONE_WAY }))
  .describe('auth holds the credentials for the other registry.');

export const apiSpec = z
  .strictObject({
    endpoint: httpUrl.describe(
      'endpoint is the base URL of the other registry. /v0.1/servers, or else /v0/servers, is appended to it.',
    ),
    timeout: goDurationField
      .refine((text) => (parseGoDuration(text) ?? 0) <= MAX_TIMEOUT_MS, 'must be at most 5m')
      .meta(
        admission({
          rule: "duration(self) > duration('0s') && duration(self) <= duration('5m')",
          message: 'must be longer than zero and at most 5m',
        }),
      )
      .optional()
      .describe('timeout limits one request, from the connection to the last byte. Defaults to 30s; at most 5m.'),
    auth: authSpec.optional(),
    caCertRef: configMapKeyRef
      .optional()
      .describe(
        'caCertRef refers to certificate authorities (PEM) that are trusted in addition to those of the system, for the registry and for tokenUrl.',
      ),
  })
  .describe('api reads another registry over its HTTP API.');

export type ApiSpec = z.output<typeof apiSpec>;

/** Returns the time limit of one request in milliseconds. */
export function timeoutOf({ timeout }: Pick<ApiSpec, 'timeout'>): number {
  return (timeout === undefined ? undefined : parseGoDuration(timeout)) ?? DEFAULT_TIMEOUT_MS;
}
