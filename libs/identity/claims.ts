/** The claims that a provider vouches for, from a JWT or from an introspection response. */
export interface Claims {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** Expiry time in milliseconds since 1970. Undefined if the provider does not specify it. */
  readonly expiresAtMs: number | undefined;
}

/**
 * Claims that identify the caller, in order of preference. Tokens from the client credentials grant may have no `sub`.
 */
const SUBJECTS = ['sub', 'client_id', 'azp', 'appid', 'username'] as const;

/** Converts the payload of a JWT or an introspection response (RFC 7662) to claims. */
export function toClaims(payload: Readonly<Record<string, unknown>>): Claims {
  const subject = SUBJECTS.map((name) => payload[name]).find((value) => typeof value === 'string' && value !== '');
  const { exp, scope, scp } = payload;
  return {
    subject: String(subject ?? 'unnamed'),
    // `scope` is defined in RFC 8693, section 4.2. `scp` is a string in Entra ID and a list in Okta.
    scopes: new Set([scope, scp].flat().flatMap((value) => (typeof value === 'string' ? value.split(' ') : []))),
    expiresAtMs: typeof exp === 'number' ? exp * 1000 : undefined,
  };
}
