import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import type { ObjectField } from '#domain/object-field.js';
import { absoluteFile, configMapKeyRef, dataKey, httpUrl, secretKeyRef } from '#domain/spec-fields.js';

/** The fields of `auth.oauth.providers[]` that apply to all kinds of tokens. */
export const commonFields = {
  name: z.string().min(1).max(63).describe('name identifies the provider in logs and metrics.'),
  issuerUrl: httpUrl
    .refine(isSecureIssuer, {
      error:
        'must start with https://; http is accepted for an issuer on localhost only, because keys that are modified in transit would let an attacker log in',
    })
    .meta(
      admission(
        {
          rule: "self.matches('^(https://|http://(localhost|127[.]0[.]0[.]1|\\\\[::1\\\\])([:/?]|$))')",
          message:
            'must start with https://; http is accepted for an issuer on localhost only, because keys that are modified in transit would let an attacker log in',
        },
        {
          rule: "!self.matches('^https?://[^/?#]*@')",
          message: 'must not contain a user name or password, because URLs are shown in status and logs: remove them',
        },
      ),
    )
    .describe('issuerUrl is the OIDC issuer, equal to the "iss" claim of its tokens.'),
  audience: z.string().min(1).max(1024).describe('audience is the audience that a token must be issued for.'),
  jwksUrl: httpUrl.optional().describe('jwksUrl is the URL of the signing keys. It replaces OIDC discovery.'),
  clientId: z.string().min(1).max(1024).optional().describe('clientId is the OAuth client ID for token introspection.'),
  clientSecretFile: absoluteFile
    .optional()
    .describe('clientSecretFile is a file with the client secret. It takes precedence over clientSecretRef.'),
  clientSecretRef: secretKeyRef.extend({ key: dataKey.default('clientSecret') }).optional(),
  caCertPath: absoluteFile
    .optional()
    .describe('caCertPath is a file with the CA certificate of the provider. It takes precedence over caCertRef.'),
  caCertRef: configMapKeyRef.extend({ key: dataKey.default('ca.crt') }).optional(),
  authTokenFile: absoluteFile
    .optional()
    .describe(
      'authTokenFile is a file with the bearer token for discovery, keys and introspection. It is read at each use and takes precedence over authTokenRef.',
    ),
  authTokenRef: secretKeyRef.extend({ key: dataKey.default('token') }).optional(),
  allowPrivateIP: z
    .boolean()
    .default(false)
    .describe('allowPrivateIP allows the provider to have a private address, as inside a cluster.'),
};

/** A provider in the spec, with the fields that apply to all kinds of tokens. */
export type ProviderSpec = z.output<z.ZodObject<typeof commonFields>>;

/** The common fields that refer to objects. */
export const COMMON_OBJECTS: readonly ObjectField[] = [
  { path: ['clientSecretRef'], kind: 'Secret', fileField: 'clientSecretFile' },
  { path: ['caCertRef'], kind: 'ConfigMap', fileField: 'caCertPath' },
  { path: ['authTokenRef'], kind: 'Secret', fileField: 'authTokenFile' },
];

function isSecureIssuer(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
