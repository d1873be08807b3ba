/** What a provider vouches for, whichever way it did. */
export interface Claims {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** Milliseconds since 1970; undefined when the provider does not say. */
  readonly expiresAtMs: number | undefined;
}

/** Clocks differ. */
export const LEEWAY_SECONDS = 30;

/** Client credentials may come without a subject; then it is the client that counts. */
const SUBJECTS = ['sub', 'client_id', 'azp', 'appid', 'username'] as const;

/** From the payload of a JWT, or the answer to an introspection (RFC 7662). */
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
