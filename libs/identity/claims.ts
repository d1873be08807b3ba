/** What a provider vouches for, from a JWT or from an introspection answer. */
export interface Claims {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** Milliseconds since 1970; undefined when the provider does not say. */
  readonly expiresAtMs: number | undefined;
}

/** Claims that identify the caller, in order of preference: tokens of client credentials may have no subject. */
const SUBJECTS = ['sub', 'client_id', 'azp', 'appid', 'username'] as const;

/** Reads the payload of a JWT or the answer to an introspection (RFC 7662). */
export function toClaims(payload: Readonly<Record<string, unknown>>): Claims {
  const subject = SUBJECTS.map((name) => payload[name]).find((value) => typeof value === 'string' && value !== '');
  const { exp, scope, scp } = payload;
  return {
    subject: String(subject ?? 'unnamed'),
    // `scope` as in RFC 8693, section 4.2; `scp` as text at Entra ID, as a list at Okta.
    scopes: new Set([scope, scp].flat().flatMap((value) => (typeof value === 'string' ? value.split(' ') : []))),
    expiresAtMs: typeof exp === 'number' ? exp * 1000 : undefined,
  };
}
