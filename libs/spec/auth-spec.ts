import { isFields } from '#domain/fields.js';
import { z } from 'zod';
import { admission, listedBy } from '#domain/admission-rule.js';
import { providerSpec } from '#identity/provider-spec.js';
import type { OAuthProvider } from '#identity/provider-spec.js';
import { scope } from '#identity/scope.js';
import { httpUrl, sourceName } from '#domain/spec-fields.js';
import { always, uniqueNames } from './refinements.js';

/**
 * The rule avoids `filter`, because the API server assumes that its result is unbounded and rejects the rule as too
 * expensive.
 */
const OPAQUE_RULE = [
  '(has(self.showOpaqueTokensToAll) && self.showOpaqueTokensToAll)',
  '!has(self.providers)',
  'self.providers.all(each, !has(each.introspectionUrl) || self.providers.exists_one(other, has(other.introspectionUrl) && (!has(other.tokenPrefix) || (has(each.tokenPrefix) && each.tokenPrefix.startsWith(other.tokenPrefix)))))',
].join(' || ');

const OPAQUE_TOKENS_OF_SEVERAL =
  'several providers introspect opaque tokens: give each a tokenPrefix that is not the beginning of another one, or set showOpaqueTokensToAll if each may see the tokens of the others';

const oauth = z
  .strictObject({
    resourceUrl: httpUrl
      .optional()
      .describe('resourceUrl identifies this registry as a protected resource (RFC 9728).'),
    realm: z
      .string()
      .max(255)
      .regex(/^[\x20-\x7e]+$/, { error: 'must be printable ASCII text, because it is sent in a header' })
      .default('mcp-registry')
      .describe('realm is the protection space named in WWW-Authenticate.'),
    scopesSupported: z
      .array(scope)
      .max(50)
      .default(['mcp-registry:read', 'mcp-registry:write'])
      .describe('scopesSupported are the OAuth scopes that the registry advertises to clients.'),
    requiredScopes: z
      .strictObject({
        read: scope.optional().describe('read are the scopes that are required for reading.'),
        write: scope.optional().describe('write are the scopes that are required for changes.'),
      })
      .optional()
      .describe('requiredScopes are the scopes that a token must have. Without them, a valid token is enough.'),
    providers: z
      .array(providerSpec)
      .min(1)
      .max(10)
      .superRefine(uniqueNames, always)
      .meta(listedBy('name'))
      .optional()
      .describe('providers are the accepted identity providers.'),
    showOpaqueTokensToAll: z
      .boolean()
      .optional()
      .describe(
        'showOpaqueTokensToAll sends an opaque token to each introspecting provider in turn, although only one of them issued it.',
      ),
  })
  .superRefine(opaqueTokensHaveOneProvider, always)
  .meta(admission({ rule: OPAQUE_RULE, message: OPAQUE_TOKENS_OF_SEVERAL }));

/** The access rules: `auth`, or its alias `authConfig`. */
export const authSpec = z
  .strictObject({
    mode: z
      .enum(['oauth', 'anonymous'])
      .default('oauth')
      .describe(
        'mode is oauth (a valid access token is required) or anonymous (no authentication, for development and trusted networks).',
      ),
    publicRead: z
      .array(sourceName)
      .max(20)
      .default([])
      .describe('publicRead names the sources that can be read without a token in mode oauth.'),
    oauth: oauth.optional(),
  })
  .superRefine((auth: unknown, context) => {
    if (modeOf(auth) !== 'oauth' || hasProviders(auth)) return;
    context.addIssue({
      code: 'custom',
      path: ['oauth', 'providers'],
      message: 'must name at least one identity provider for mode oauth; for an open registry, set mode: anonymous',
    });
  }, always)
  .meta(
    admission({
      rule: "self.mode != 'oauth' || (has(self.oauth) && has(self.oauth.providers) && self.oauth.providers.size() > 0)",
      message:
        'must name at least one identity provider in oauth.providers for mode oauth; for an open registry, set mode: anonymous',
    }),
  )
  .describe('auth says who may use the registry. It is required: a registry is never open by omission.');

const publicPath = z
  .string()
  .max(1024)
  .regex(/^\/[^?#%]*$/, { error: 'must be a path that begins with /, without query, fragment and escapes' });

/** The auth block in the configuration of a server, which can also make paths public. */
export const serverAuthSpec = authSpec
  .safeExtend({
    publicPaths: z
      .array(publicPath)
      .max(100)
      .optional()
      .describe(
        'publicPaths are the paths that can be read without a token in mode oauth, each with everything below it.',
      ),
  })
  .describe(authSpec.description!);

/** The access rules of the registry. In mode oauth, there is at least one provider in the spec. */
export type Auth =
  | { readonly mode: 'anonymous' }
  | {
      readonly mode: 'oauth';
      readonly publicRead: readonly string[];
      readonly publicPaths?: readonly string[];
      readonly oauth: OAuth;
    };

export type OAuth = Omit<z.output<typeof oauth>, 'providers'> & { readonly providers: readonly OAuthProvider[] };

/** The access rules of a registry whose spec cannot be parsed: every request is rejected. */
export const NOBODY_IN: Auth = {
  mode: 'oauth',
  publicRead: [],
  oauth: { realm: 'mcp-registry', scopesSupported: [], providers: [] },
};

/** Normalizes the access rules. In mode anonymous, an `oauth` block is allowed but has no effect, so it is dropped. */
export function normalizeAuth({ mode, publicRead, publicPaths, oauth }: z.output<typeof serverAuthSpec>): Auth {
  if (mode === 'anonymous') return { mode };
  const providers = oauth!.providers!;
  return { mode, publicRead, ...(publicPaths && { publicPaths }), oauth: { ...oauth!, providers } };
}

/**
 * Requires a distinct prefix for each provider of opaque tokens. A prefix tells who has issued an opaque token. Without
 * it, the token, which is a secret of its holder, would be sent to other providers too.
 */
function opaqueTokensHaveOneProvider(value: unknown, context: z.core.$RefinementCtx): void {
  const { providers, showOpaqueTokensToAll } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(providers) || showOpaqueTokensToAll === true) return;
  const introspecting = providers.filter((each) => each?.introspectionUrl !== undefined);
  const prefixes = introspecting.map(({ tokenPrefix }) => (typeof tokenPrefix === 'string' ? tokenPrefix : ''));
  const isAmbiguous = prefixes.some((one, at) => prefixes.some((other, from) => from !== at && other.startsWith(one)));
  if (isAmbiguous) context.addIssue({ code: 'custom', path: ['providers'], message: OPAQUE_TOKENS_OF_SEVERAL });
}

function modeOf(auth: unknown): unknown {
  return isFields(auth) ? auth['mode'] : undefined;
}

/**
 * Returns whether there is a list of providers. Also returns true if the list has the wrong type or length, because
 * that is reported as an error of the list itself.
 */
function hasProviders(auth: unknown): boolean {
  const oauth: unknown = (auth as { oauth?: unknown }).oauth;
  return oauth !== undefined && (!isFields(oauth) || 'providers' in oauth);
}
