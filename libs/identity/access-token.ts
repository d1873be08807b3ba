import { TokenRefused } from './verdict.js';

type Members = Readonly<Record<string, unknown>>;

/** Values of `typ` that are allowed in the header of an access token. Many providers issue access tokens without it. */
const ACCESS_TOKEN_TYPE = 'at+jwt';
const HEADER_TYPES: readonly string[] = [ACCESS_TOKEN_TYPE, 'jwt'];

/** Claims that tell the type of a token in Keycloak (`typ`), Cognito and Hydra (`token_use`), RFC 7662 and others. */
const KIND_CLAIMS = ['typ', 'token_use', 'token_type', 'tokenType'] as const;
const ACCESS_TOKEN_KINDS: ReadonlySet<string> = new Set(['bearer', 'access', 'accesstoken', 'jwt', 'at+jwt']);

/**
 * Claims that only other kinds of tokens have: ID tokens (OpenID Connect Core 1.0, 2 and 3.3.2.11), logout tokens and
 * security event tokens (RFC 8417).
 */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'] as const;

/** Rejects a JWT whose `typ` is not that of an access token (RFC 8725, section 3.11; RFC 9068, section 4). */
export function demandAccessTokenHeader({ typ }: Members, isRequired: boolean): void {
  if (typ === undefined && !isRequired) return;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  const allowed = isRequired ? [ACCESS_TOKEN_TYPE] : HEADER_TYPES;
  if (!allowed.includes(type)) throw refusal(`its header typ is not ${allowed.join(' or ')}`);
}

/**
 * Rejects tokens that the same provider issues for another purpose: ID, refresh, logout and security event tokens (RFC
 * 8725, section 3.12). Also rejects tokens that are bound to a key (RFC 9449, RFC 8705), because a Bearer request does
 * not prove possession of the key. `claims` are those of a JWT or of an introspection response.
 */
export function demandAccessTokenClaims(claims: Members): void {
  for (const name of FOREIGN_CLAIMS) {
    if (isPresent(claims[name])) throw refusal(`it has the claim ${name}, which access tokens do not have`);
  }
  if (isPresent(claims['cnf'])) throw refusal('it is bound to a key (cnf), which a Bearer request does not prove');
  for (const name of KIND_CLAIMS) {
    const kind = claims[name];
    if (!isPresent(kind)) continue;
    const isAccess = typeof kind === 'string' && ACCESS_TOKEN_KINDS.has(kind.toLowerCase().replace(/[_ -]/g, ''));
    if (!isAccess) throw refusal(`its claim ${name} is not that of an access token`);
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refusal(why: string): TokenRefused {
  return new TokenRefused('type', why);
}
