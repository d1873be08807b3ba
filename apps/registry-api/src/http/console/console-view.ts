import type { ConsoleSpec } from '#spec/console-spec.js';
import type { LoginEndpoints } from '../../auth/discovery.js';
import type { ServedRegistry } from '../../served-registry.js';

/** Optional parts of the API that the console may use. */
const FEATURES: readonly string[] = ['exports', 'explain'];

type LoginSpec = NonNullable<ConsoleSpec['login']>;

/**
 * Returns the data that the console needs at its start. `endpoints` are the login endpoints; absent while the provider
 * is unavailable.
 */
export function toConsoleView(
  registry: ServedRegistry,
  version: string,
  endpoints: LoginEndpoints | undefined,
): object {
  const { namespace, name, displayName, auth } = registry;
  const login = loginOf(registry);
  return {
    registry: { namespace, name, ...(displayName !== undefined && { displayName }) },
    version,
    mode: auth.mode,
    login: login && endpoints ? toLoginView(registry, login, endpoints) : null,
    ...(login && !endpoints && { loginUnavailable: true }),
    features: FEATURES,
  };
}

/** Returns the login settings of the console; undefined if signing in is impossible. */
export function loginOf({ auth, console }: ServedRegistry): LoginSpec | undefined {
  return auth.mode === 'oauth' ? console?.login : undefined;
}

function toLoginView({ auth }: ServedRegistry, login: LoginSpec, endpoints: LoginEndpoints): object {
  const required = auth.mode === 'oauth' ? Object.values(auth.oauth.requiredScopes ?? {}) : [];
  const { clientId, scopes = ['openid', ...required], parameters = {} } = login;
  return { ...endpoints, clientId, scope: [...new Set(scopes)].join(' '), parameters };
}
