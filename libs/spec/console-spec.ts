import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { httpUrl } from '#domain/spec-fields.js';
import { nearestName } from './nearest-name.js';

const MAX_SCOPES = 20;
const MAX_PARAMETERS = 5;

const scope = z
  .string()
  .max(255)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope without spaces, quotes and backslashes (RFC 6749)');

/**
 * Parameters of an authorization request that the console itself sets (RFC 6749, RFC 7636, OpenID Connect Core 1.0).
 */
const OWN_PARAMETER = /^(client_id|scope|state|nonce|redirect_.*|response_.*|code_.*)$/;
/**
 * The known parameters as a list for CEL, because matching a pattern against keys of any length would exceed its cost
 * limit.
 */
const OWN_PARAMETERS =
  "['client_id', 'scope', 'state', 'nonce', 'redirect_uri', 'response_type', 'response_mode', 'code_challenge', 'code_challenge_method']";
const OWN_PARAMETER_MESSAGE =
  'sets a parameter that the console sets itself (client_id, scope, state, nonce, redirect_*, response_* or code_*): remove it';

const parameters = z
  .record(z.string(), z.string().max(256))
  .superRefine((map, context) => {
    const names = Object.keys(map);
    if (names.length > MAX_PARAMETERS) {
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_PARAMETERS} entries` });
    }
    for (const name of names) {
      const fault = parameterFault(name);
      if (fault !== undefined) context.addIssue({ code: 'custom', path: [name], message: fault });
    }
  })
  .meta({
    maxProperties: MAX_PARAMETERS,
    ...admission({
      rule: `!${OWN_PARAMETERS}.exists(name, name in self)`,
      message: OWN_PARAMETER_MESSAGE,
    }),
  });

function parameterFault(name: string): string | undefined {
  if (OWN_PARAMETER.test(name)) return OWN_PARAMETER_MESSAGE;
  return name === '' || name.length > 64 ? 'is not a valid name of a parameter: use 1 to 64 characters' : undefined;
}

const login = z.strictObject({
  provider: z.string().min(1).max(63).describe('provider is the name of one of auth.oauth.providers.'),
  clientId: z
    .string()
    .min(1)
    .max(1024)
    .describe(
      'clientId is a public client (without a secret) of the provider, with the URL of the console as redirect URI.',
    ),
  scopes: z
    .array(scope)
    .max(MAX_SCOPES)
    .optional()
    .describe('scopes are requested at sign-in. Defaults to openid and those in requiredScopes.'),
  parameters: parameters.optional().describe('parameters are added to the authorization request.'),
});

export const consoleSpec = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('enabled serves the console at the root of the registry. Defaults to true.'),
    login: login.optional().describe('login says how people sign in to the console. It needs auth.mode oauth.'),
  })
  .describe('console is the read-only web console.');

export type ConsoleSpec = z.output<typeof consoleSpec>;

/** The URL at which clients reach the root of a registry. Used wherever absolute URLs are needed. */
export const publicUrl = httpUrl
  .refine(
    (url) => !/[?#]/.test(url),
    'must not have a query or a fragment: give the URL of the root, such as https://tools.example.com/mcp',
  )
  .meta(
    admission(
      {
        rule: "!self.matches('^https?://[^/?#]*@')",
        message: 'must not contain a user name or password, because URLs are shown in status and logs: remove them',
      },
      {
        rule: "!self.contains('?') && !self.contains('#')",
        message: 'must not have a query or a fragment: give the URL of the root, such as https://tools.example.com/mcp',
      },
    ),
  )
  .describe('publicUrl is the URL at which clients reach the root of the registry, if a proxy changes it.');

const ardSpec = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('enabled serves Agentic Resource Discovery at the root of the registry. Defaults to true.'),
  })
  .describe('ard is Agentic Resource Discovery, by which agents find servers.');

/** The fields of a spec and of a server configuration that control how a registry presents itself. */
export const surfaceFields = {
  console: consoleSpec.optional(),
  ard: ardSpec.optional(),
  publicUrl: publicUrl.optional(),
};

export interface Surface {
  readonly console?: ConsoleSpec;
  readonly ard?: z.output<typeof ardSpec>;
  readonly publicUrl?: string;
}

export function toSurface({
  console,
  ard,
  publicUrl: url,
}: { readonly [Field in keyof Surface]: Surface[Field] | undefined }): Surface {
  return { ...(console && { console }), ...(ard && { ard }), ...(url !== undefined && { publicUrl: url }) };
}

const LOGIN_NEEDS_PROVIDER = 'must name one of auth.oauth.providers of a registry with auth.mode oauth';

const isProvided = (auth: string) =>
  `(has(self.${auth}) && self.${auth}.mode == 'oauth' && has(self.${auth}.oauth) && has(self.${auth}.oauth.providers) && ` +
  `self.${auth}.oauth.providers.exists(each, each.name == self.console.login.provider))`;

export const loginAdmission = {
  rule: `!has(self.console) || !has(self.console.login) || ${isProvided('auth')} || ${isProvided('authConfig')}`,
  message: `console.login.provider ${LOGIN_NEEDS_PROVIDER}`,
};

/**
 * Refinement of an object with `auth` and `console`: users can sign in only with a provider whose tokens are accepted.
 */
export function loginIsPossible(config: unknown, context: z.core.$RefinementCtx): void {
  const fields = config as Record<string, unknown> | null | undefined;
  const provider: unknown = (fields?.['console'] as { login?: { provider?: unknown } } | null)?.login?.provider;
  if (typeof provider !== 'string') return;
  const names = providersOf(fields?.['auth'] ?? fields?.['authConfig']);
  if (names.includes(provider)) return;
  const nearest = nearestName(provider, names);
  const hint = nearest === undefined ? '' : `: did you mean ${nearest}?`;
  context.addIssue({
    code: 'custom',
    path: ['console', 'login', 'provider'],
    message: `${LOGIN_NEEDS_PROVIDER}${hint}`,
  });
}

function providersOf(auth: unknown): string[] {
  const { mode = 'oauth', oauth } = (auth ?? {}) as { mode?: unknown; oauth?: { providers?: unknown } | null };
  if (mode !== 'oauth' || !Array.isArray(oauth?.providers)) return [];
  return oauth.providers.flatMap((each: { name?: unknown } | null) =>
    typeof each?.name === 'string' ? [each.name] : [],
  );
}
